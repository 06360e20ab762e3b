-- What a dry-run submit may cost: instructions of the Lua machine for prepare, estimate and submit. They are counted, not timed:
-- the engine runs all three for every request, and whoever reads every field that a vendor knows would make it many times slower.
local contract = require "spec.support.contract"

local MOST_INSTRUCTIONS = 1600

local PROMPT = { prompt = "a lighthouse at dusk" }
local REQUESTS = {
  fal = PROMPT, stability = PROMPT, runway = PROMPT, pika = PROMPT, luma = PROMPT,
  replicate = { model = "black-forest-labs/flux-schnell", input = PROMPT },
  runpod = { endpoint_id = "abc123", input = PROMPT },
  hf_inference_endpoints = { url = "https://abc.us-east-1.aws.endpoints.huggingface.cloud", inputs = "hello" },
  modal = { url = "https://me--app-f.modal.run", body = PROMPT },
}

local SENT = {}

local function nothing() end

local function ctx_of(kind)
  return { kind = kind, dry_run = true, warn = nothing, note = nothing, request = function() error(SENT, 0) end }
end

local function submit(provider, request, kind)
  local ctx = ctx_of(kind)
  local payload, _, plan = provider.prepare(request, ctx)
  provider.estimate(payload, plan, ctx)
  local ok, outcome = pcall(provider.submit, payload, ctx, plan)
  assert(not ok and outcome == SENT, "nothing was sent")
end

-- Those of the provider script and of lua/, not those of the spec around them.
local function count_instructions(call, ...)
  local count = 0
  debug.sethook(function()
    local source = debug.getinfo(2, "S").source
    local is_ours = source:find("providers/", 1, true) or source:find("lua/[%w_]+%.lua$")
    if is_ours and not source:find("offline", 1, true) then count = count + 1 end -- that is C in the host
  end, "", 1)
  local ok, problem = pcall(call, ...)
  debug.sethook()
  assert(ok, problem)
  return count
end

for id, request in pairs(REQUESTS) do
  describe("budget of " .. id, function()
    it("is kept by a plain submit", function()
      local provider = contract.load(id)
      local count = count_instructions(submit, provider, request, provider.kind)
      assert.is_true(count <= MOST_INSTRUCTIONS, ("%d instructions, at most %d"):format(count, MOST_INSTRUCTIONS))
    end)

    it("is kept by a plain submit of each other kind that it serves", function()
      local provider = contract.load(id)
      for _, kind in ipairs(provider.kinds or { provider.kind }) do
        local plain = kind == provider.kind and request or PROMPT
        local count = count_instructions(submit, provider, plain, kind)
        assert.is_true(count <= MOST_INSTRUCTIONS, ("%s: %d instructions, at most %d"):format(kind, count, MOST_INSTRUCTIONS))
      end
    end)
  end)
end
