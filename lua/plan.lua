-- plan.lua - the request that a submit would send, built together with what speaks against it.
--
-- A script builds the plan once and uses it everywhere: prepare to choose a model, estimate to price it, submit to send it.
-- So what is priced is what is sent. Refusals and warnings are data here; submit turns them into its answer.
-- A plan is { body = } and, as far as there are any, `refusals`, `warnings` and `notes`.

local plan = {}

--- A plan with nothing in it, and room for what most get: a table that grows by and by costs more than all that is put into it.
function plan.new()
  local body = { prompt = nil, seed = nil, image = nil, size = nil }
  return { body = body, model = nil, description = nil, paths = nil, notes = nil }
end

-- The fields of a table but one, as two lists and their length, for copies: to go over lists by numbers costs less than `pairs`.
local function listed(fields, but)
  local names, values, count = {}, {}, 0
  for name, value in pairs(fields) do
    if name ~= but then
      count = count + 1
      names[count], values[count] = name, value
    end
  end
  return names, values, count
end

--- What is made of our defaults and a prompt, and nothing else, is the same each time but for the prompt. Such a plan, built at
-- load, becomes a function that makes it anew with another prompt; nil where something has to be said of it each time.
-- `prompt_name`: the prompt in its body.
function plan.template(built, prompt_name)
  if built.refusals or built.warnings or built.notes then return nil end
  local inputs, values, input_count = listed(built.body, prompt_name)
  local names, others, count = listed(built, "body")
  return function(prompt)
    local made = plan.new()
    local body = made.body
    for index = 1, input_count do body[inputs[index]] = values[index] end
    for index = 1, count do made[names[index]] = others[index] end
    body[prompt_name] = prompt
    return made
  end
end

local function add(self, list_name, item)
  local list = self[list_name]
  if not list then
    list = {}
    self[list_name] = list
  end
  list[#list + 1] = item
end

--- Records a value that decides what is made, or what it costs, and that the vendor cannot express.
function plan.refuse(self, field, message, allowed)
  add(self, "refusals", { field = field, message = message, allowed = allowed })
end

--- Records a preference that is left out, or something else that the user should know about one field.
function plan.warn(self, field, message)
  add(self, "warnings", { field = field, message = message })
end

--- Records a value that goes out though nobody here knows what it means: it may be a number of pieces, or seconds. Such a
-- request has no price.
function plan.send_unknown(self, field, message)
  self.unpriced = self.unpriced or field
  plan.warn(self, field, message)
end

--- Records a remark on the whole request.
function plan.note(self, text)
  add(self, "notes", text)
end

function plan.is_refused(self)
  return self.refusals ~= nil
end

--- The refusals of a plan as submit's second value.
function plan.refusals(self)
  return self.refusals[2] and self.refusals or self.refusals[1]
end

--- Why there is no price for a refused plan, as estimate's second value.
function plan.first_refusal(self)
  local refusal = self.refusals and self.refusals[1]
  return refusal and (refusal.field .. ": " .. refusal.message)
end

--- Why there is no price for a request with values that are not known here, as estimate's second value; nil when there are
-- none.
function plan.unpriced_by(self)
  return self.unpriced and self.unpriced .. ": what it does to the price is not known here"
end

--- Hands warnings and notes to the host.
function plan.announce(self, ctx)
  if self.warnings then
    for _, warning in ipairs(self.warnings) do ctx.warn(warning) end
  end
  if self.notes then
    for _, note in ipairs(self.notes) do ctx.note(note) end
  end
end

return plan
