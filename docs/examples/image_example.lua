-- image_example.lua - a complete provider in one file, for an imaginary vendor. Copy it to providers/ and change it.
-- docs/provider-scripts.md explains every part.

local check = require "check"
local http_errors = require "http_errors"

local SIZES = { "512x512", "1024x1024" }
local USD_PER_IMAGE = 0.02

-- A vendor's answer is whatever comes: no JSON, an error page, fields of another type.
local function is_job(value)
  return type(value) == "table" and type(value.id) == "string"
end

-- The vendor's answer about a job, as a result. `state` is kept from submit on: the price is that of the submit, whatever the
-- script says later.
local function result_of(job, state)
  local words = { waiting = "queued", working = "running", finished = "done", failed = "error" }
  local result = { id = job.id, status = words[job.state] or "running", state = state }
  if result.status == "done" then
    result.artifacts, result.cost = {}, { usd = state.usd, source = "computed" }
    for _, url in ipairs(type(job.images) == "table" and job.images or {}) do
      table.insert(result.artifacts, { url = url, content_type = "image/png" })
    end
  elseif result.status == "error" then -- this vendor does not charge for what failed
    result.error = { code = "vendor", message = "the vendor could not make it", billed = false }
  end
  return result
end

return {
  id = "example", name = "Example Images", kind = "image",
  aliases = { "example.com" },
  docs_url = "https://example.com/docs", pricing_url = "https://example.com/pricing", last_checked = "2026-11-23",
  tags = { "example" },
  modes = { { id = "text-to-image", label = "Text to image", default = true } },
  credentials = {
    api_key = {
      env = { "EXAMPLE_API_KEY" }, secret = { "api_key" },
      pattern = "^ex_", hint = "create one at https://example.com/keys",
    },
  },
  base_url = "https://api.example.com/v1",
  auth = { ["Authorization"] = "Bearer {api_key}" },
  capabilities = { modes = { "text-to-image" }, sizes = SIZES },
  pricing = { as_of = "2026-11-23", source = "https://example.com/pricing", unit = "image", usd = USD_PER_IMAGE },

  prepare = function(request)
    local reader = check.reader(request)
    local parameters = reader:reader_of("parameters")
    return {
      mode = reader:choice("mode", { "text-to-image" }, { default = "text-to-image" }),
      prompt = reader:text("prompt", { required = true }),
      parameters = {
        size = parameters:text({ "size", "resolution" }, { default = "1024x1024" }),
        samples = parameters:integer("samples", { default = 1, min = 1, max = 4 }),
        seed = parameters:integer("seed", { wide = true }),
      },
    }
  end,

  estimate = function(payload)
    local count = payload.parameters.samples
    return {
      expected = count * USD_PER_IMAGE, unit = "image", quantity = count,
      source = "https://example.com/pricing", as_of = "2026-11-23",
    }
  end,

  health = function(ctx)
    local response, failure = ctx.request { path = "/account" }
    if not response or response.status ~= 200 then return http_errors.result(response, failure) end
    return { ok = true }
  end,

  submit = function(payload, ctx)
    local parameters = payload.parameters
    if not check.in_list(parameters.size, SIZES) then
      return nil, { field = "parameters.size", message = "this size is not made", allowed = SIZES }
    end
    local response, failure = ctx.request {
      path = "/images",
      json = { text = payload.prompt, size = parameters.size, count = parameters.samples, seed = parameters.seed },
    }
    if not response or response.status ~= 202 then return http_errors.result(response, failure) end
    -- Accepted, but what? The host takes the job's outcome for unknown, and does not send it again.
    if not is_job(response.json) then return http_errors.unreadable("the answer names no job") end
    return result_of(response.json, { usd = parameters.samples * USD_PER_IMAGE })
  end,

  poll = function(job, ctx)
    local response, failure = ctx.request { path = "/images/" .. job.id }
    -- A question without a proper answer is not the end of the job.
    if not response or response.status ~= 200 then return http_errors.unanswered(response, failure, job) end
    if not is_job(response.json) then return http_errors.unanswered(nil, { message = "the answer is no job" }, job) end
    return result_of(response.json, job.state or {})
  end,
}
