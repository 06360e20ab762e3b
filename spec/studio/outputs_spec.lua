-- Outputs that a bucket keeps, in the page: whether the host serves them or sends clients there, the page shows them, from its
-- own origin alone.
local Bucket = require "spec.support.bucket"
local live = require "spec.support.live"
local studio = require "spec.support.studio"

studio.describe("a picture in a bucket", function()
  for _, deliver in ipairs { "proxy", "redirect" } do
    it("is shown by the page with artifacts.deliver: " .. deliver, function()
      local bucket, missing = Bucket.start()
      if not bucket then return pending(missing) end
      local secrets = { s3 = { access_key_id = Bucket.KEY, secret_access_key = Bucket.SECRET } }
      for provider, entry in pairs(live.SECRETS) do secrets[provider] = entry end
      local page = studio.open { live = true, hurry = 10, secrets = secrets,
        config = function(config) config.artifacts = bucket:artifacts { deliver = deliver } end }
      local ok, problem = pcall(function()
        local job_id = page.live:job("fal")
        assert.equal("done", page.live:ended(job_id).status)
        assert.equal(deliver == "redirect" and 307 or 200, page.live.host:get("/api/jobs/" .. job_id .. "/artifacts/0").status)
        page:go("#/jobs/" .. job_id)
        page:wait("[...document.querySelectorAll('.job img')].some(one => one.naturalWidth > 0)", "the picture")
        page:go "#/gallery"
        page:wait("[...document.querySelectorAll('img.gallery-face')].some(one => one.naturalWidth > 0)", "the picture")
        page:assert_clean()
      end)
      page:remove()
      bucket:remove()
      assert(ok, problem)
    end)
  end
end)
