-- A job that is made again: what Studio takes from its row is the request that it was made by, by the names that it was
-- written with, so that the vendor gets the same bytes.
local support = require "spec.support.live"
local studio = require "spec.support.studio"

local PICTURE = "data:image/png;base64,iVBORw0KGgo="

local REQUESTS = {
  { "fal", { prompt = "a lighthouse" } },
  { "fal", { prompt = "in other words", num_images = 2, image_size = "square_hd", seed = "18446744073709551615" } },
  { "fal", { prompt = "by model", model = "fal-ai/flux/dev", parameters = { n = 2, guidance = 5, width = 512, height = 512 } } },
  { "fal", { prompt = "a queue", priority = "low", webhook = "https://studio.example/hook", start_timeout_seconds = 60 } },
  { "stability", { prompt = "in oil", mode = "image-to-image", parameters = { strength = 0.6, init_image = PICTURE } } },
  { "stability", { prompt = "a style", style = "anime", negative = "fog", aspectRatio = "21:9" } },
  { "runway", { prompt = "a pan", seconds = 5, ratio = "1280:720" } },
  { "luma", { prompt = "waves", model = "ray-flash-2", resolution = "540p", duration_seconds = 5, aspect = "9:16" } },
  { "pika", { prompt = "boats", duration = 5, parameters = { resolution = "720p" } } },
}
for id in pairs(support.JOBS) do
  local body = {}
  for name, value in pairs(support.JOBS[id]) do if name ~= "max_cost_usd" then body[name] = value end end
  REQUESTS[#REQUESTS + 1] = { id, body }
end

local MADE_AGAIN = [[
const { api, requestOf } = await import(new URL("ui/base/api.js", location));
const job = await api.get("api/jobs/status/" + arguments[0]);
const again = await api.post(arguments[1], requestOf(job));
return again.upstream_sha256;]]

studio.describe("a job that is made again", function()
  it("is the request that it was, at all providers and by all names", function()
    local page = studio.open { live = true }
    page:go()
    for _, case in ipairs(REQUESTS) do
      local id, body = case[1], case[2]
      local first = page.host:post(page.live:path(id, "submit"), body)
      local said = ("%s, %s: %s"):format(id, tostring(body.prompt), first.body:sub(1, 300))
      assert.equal(200, first.status, said)
      assert.is_string(first.json.upstream_sha256, said)
      local again = page:await(MADE_AGAIN, first.json.job_id, page.live:path(id, "preview"):sub(2))
      assert.equal(first.json.upstream_sha256, again, said)
    end
    page:assert_clean()
    page:remove()
  end)

  it("is shown as it would be sent, a form by its fields and files", function()
    local page = studio.open { live = true }
    local body = { prompt = "in oil", mode = "image-to-image", parameters = { strength = 0.6, init_image = PICTURE } }
    local job = page.host:post(page.live:path("stability", "submit"), body).json.job_id
    page:go("#/jobs/" .. job)
    page:click_text("summary", "Exact request")
    local text = page:find(".job .upstream"):text()
    for _, part in ipairs {
      "^POST https://api%.stability%.ai/",
      "Bearer {api_key}", "\nprompt: in oil\n", "\nimage: image%.png %(image/png, 8 B%)",
    } do
      assert.matches(part, text)
    end
    page:assert_clean()
    page:remove()
  end)
end)
