-- undescribed.lua - a request for a model that is not described here: its parameters are the model's input, untouched.
--
-- No value is renamed, folded, trimmed, checked or filled in, for nobody here knows what the model calls it. What says how to
-- queue (options.lua) is taken out only under fal's own names, which are those of headers.

local check = require "check"
local cjson = require "cjson"
local fal_options = require "fal.options"
local given = require "given"
local names = require "names"
local plan = require "plan"

local undescribed = {}

local PROMPT = { blank = "absent", trim = false }

-- Words that colour what is made: of two that differ, one is left out.
local ONLY_COLOURS = names.set { "negative_prompt", "gpu", "style", "style_preset" }

local function read_prompt(payload, top)
  local parameters = payload.parameters
  local inner = parameters.prompt
  payload.prompt = top:text("prompt", PROMPT)
  if payload.prompt and inner == payload.prompt then
    parameters.prompt = nil
  elseif payload.prompt and check.is_given(inner) then
    parameters.prompt = nil
    given.contradict(payload, "parameters.prompt", "prompt", true)
  elseif type(inner) == "string" then
    payload.prompt, parameters.prompt = inner, nil
    given.keep(payload, "prompt", "parameters.prompt")
  end
end

-- What the family of providers takes at the top of a request goes out under its own name, too.
local function read_at_top(payload, top, words)
  local parameters = payload.parameters
  for _, name in ipairs(words) do
    local value = top.object[name]
    if check.is_given(value) and value ~= "" then
      if parameters[name] == nil then
        parameters[name] = value
        given.keep(payload, "parameters." .. name, name)
      elseif not given.same(parameters[name], value) then
        given.contradict(payload, name, "parameters." .. name, not ONLY_COLOURS[name])
      end
    end
  end
end

--- The names at the top of a request that nobody reads, sorted, or nil; `known` is a set of those that somebody reads.
function undescribed.ignored(request, known)
  local ignored = {}
  for _, name in ipairs(names.unknown(request, known) or ignored) do
    if check.is_given(request[name]) then ignored[#ignored + 1] = name end
  end
  return ignored[1] and cjson.array(ignored) or nil
end

--- Reads a request into its payload. `top` and `inner` read the request and its parameters; `words` is a sorted list of the names
-- that may stand at the top instead.
function undescribed.read(payload, top, inner, words)
  payload.queue = fal_options.read(payload, top, inner.object, nil)
  payload.parameters = {}
  for name, value in pairs(inner.object) do
    if not fal_options.is_option(name, nil) then payload.parameters[name] = value end
  end
  read_prompt(payload, top)
  read_at_top(payload, top, words)
  return payload
end

--- The plan of a submit (plan.lua). `prompt_name` is what the vendor calls a prompt, if it is not that.
function undescribed.build(payload, model, prompt_name)
  local built = plan.new()
  built.model = model
  for name, value in pairs(payload.parameters) do built.body[name] = value end
  if payload.prompt then built.body[prompt_name or "prompt"] = payload.prompt end
  plan.note(built, model .. " is not described here: its parameters are sent unchecked")
  return built
end

return undescribed
