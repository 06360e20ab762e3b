-- Writes small provider scripts for specs: a good one, of which a case changes what it is about.
local script_text = {}

local BODIES = {
  prepare = "return request",
  estimate = "return { expected = 0.04, unit = 'image', quantity = 1 }",
  health = "return ctx.request { path = '/me' }",
  submit = "return ctx.request { path = '/jobs', json = payload }",
  poll = "return ctx.request { path = '/jobs/' .. job.id }",
}
local PARAMETERS = {
  prepare = "request, ctx", estimate = "payload, plan, ctx", health = "ctx", submit = "payload, ctx, plan",
  poll = "job, ctx", cancel = "job, ctx", webhook = "delivery, ctx",
}
local FUNCTIONS = { "prepare", "estimate", "health", "submit", "poll", "cancel", "webhook" }
local FIELDS = {
  kind = "'image'", base_url = "'https://vendor.example/v1'", pricing_url = "'https://vendor.example/pricing'",
  docs_url = "'https://vendor.example/docs'", last_checked = "'2025-02-17'", capabilities = "{ 'text-to-image' }",
  pricing = "{ unit = 'image', usd = 0.04, as_of = '2025-02-17', source = 'https://vendor.example/pricing' }",
}

local function sorted(names)
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  table.sort(list)
  return list
end

--- A script's text. options: top (before the table), one body per function, fields = { name = "Lua text" or false }.
function script_text.provider(id, options)
  options = options or {}
  local fields = { id = ("%q"):format(id) }
  for name, text in pairs(FIELDS) do fields[name] = text end
  for name, text in pairs(options.fields or {}) do fields[name] = text or nil end
  local lines = { options.top or "-- a provider of the specs", "return {" }
  for _, name in ipairs(sorted(fields)) do
    if (options.fields or {})[name] ~= false then lines[#lines + 1] = ("  %s = %s,"):format(name, fields[name]) end
  end
  for _, name in ipairs(FUNCTIONS) do
    local body = options[name] or BODIES[name]
    if body and not fields[name] then
      lines[#lines + 1] = ("  %s = function(%s)\n%s\n  end,"):format(name, PARAMETERS[name], body)
    end
  end
  return table.concat(lines, "\n") .. "\n}\n"
end

return script_text
