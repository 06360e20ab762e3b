-- form.lua - the multipart form of a request to Stability, or what speaks against it.

local check = require "check"
local data_uri = require "data_uri"
local given = require "given"
local names = require "names"
local stability_fields = require "stability.fields"
local stability_services = require "stability.services"
local undescribed = require "stability.undescribed"

local stability_form = {}

local is_given, present = check.is_given, check.present

local MAX_PROMPT_CHARACTERS = 10000

--- Of the whole body.
stability_form.MAX_IMAGE_BYTES = 10 * 1024 * 1024
stability_form.IMAGE_TYPES = { "image/jpeg", "image/png", "image/webp" }
local MAX_IMAGE_BYTES, IMAGE_TYPES = stability_form.MAX_IMAGE_BYTES, stability_form.IMAGE_TYPES

local FIELDS, INEXPRESSIBLE = stability_fields.FIELDS, stability_fields.INEXPRESSIBLE
local IS_SAMPLE_NAME = stability_fields.IS_SAMPLE_NAME

-- Numbers travel as text: 7 and 7.0 as "7", 0.3 as "0.3".
local function number_text(value)
  local integer = math.tointeger(value)
  return integer and tostring(integer) or string.format("%.14g", value)
end

-- The image as a data URI, and what parse says of it; or nil, what is wrong, and what is allowed.
local function read_image(value)
  local text = data_uri.begins(value) and value or data_uri.of_image(value)
  if not text then return nil, "must be the image itself, as a data URI: Stability fetches no addresses" end
  local parsed, problem = data_uri.parse(text)
  if not parsed then return nil, problem end
  if not check.in_list(parsed.content_type, IMAGE_TYPES) then
    return nil, "must be a JPEG, PNG or WebP image, not " .. parsed.content_type, IMAGE_TYPES
  end
  if not parsed.base64 or parsed.bytes == 0 then return nil, "must hold the image in base64" end
  if parsed.bytes > MAX_IMAGE_BYTES then return nil, "must be at most 10 MiB" end
  return text, parsed
end

local function image_part(name, entry)
  local text, parsed, allowed = read_image(entry.value)
  if not text then return nil, { field = entry.path, message = parsed, allowed = allowed } end
  return data_uri.form_part(name, text), nil, parsed.bytes
end

-- What the vendor's reference speaks against in a value, or nil. Nobody knows whether it still does.
local function doubt_of(field, value)
  local range, examples = field.range, field.words.examples
  if range and (type(value) == "userdata" or value < range[1] or value > range[2]) then
    local least, most = number_text(range[1]), range[2] < math.huge and number_text(range[2])
    return most and "is not from " .. least .. " to " .. most or "is not at least " .. least
  end
  if type(value) ~= "string" then return nil end
  if examples and not check.in_list(value, examples) then return "is none of " .. table.concat(examples, ", ") end
  if #value > MAX_PROMPT_CHARACTERS and (utf8.len(value) or #value) > MAX_PROMPT_CHARACTERS then
    return "is longer than " .. MAX_PROMPT_CHARACTERS .. " characters"
  end
end

local function plain_part(field, entry, ctx)
  local doubt = doubt_of(field, entry.value)
  if doubt then ctx.warn { field = entry.path, message = doubt .. ", as far as is known here; sent as given" } end
  local value = entry.value
  return { name = field.name, value = type(value) == "number" and number_text(value) or tostring(value) }
end

-- Makes a form part of a value, or nil and a refusal; third the bytes of an image.
local function part_of(field, entry, ctx)
  if field.words.x_file then return image_part(field.name, entry) end
  return plain_part(field, entry, ctx)
end

-- What is not a field of a service.
local NOT_FIELDS = names.set { "mode", "operation", "model", "parameters", "ignored", "wrapped", "given_as", "contradictions" }

-- The names of what the client gave in an object, sorted, and how many they are.
local function given_names(object)
  local found, count = { nil, nil, nil, nil }, 0 -- room for most
  for name, value in next, object do
    if not NOT_FIELDS[name] and is_given(value) and not (value == 1 and IS_SAMPLE_NAME[name]) then -- one is made anyway
      count = count + 1
      found[count] = name
    end
  end
  if count > 1 then table.sort(found) end
  return found, count
end

-- Adds what the client gave in an object to a list of { name =, value =, path = }, which is also kept by name.
local function collect(values, object, prefix)
  local found, count = given_names(object)
  for index = 1, count do
    local name = found[index]
    local entry = { name = name, value = object[name], path = prefix .. name, taken = false }
    values.count = values.count + 1
    values[values.count] = entry
    local same_name = values.by_name[name]
    if same_name then same_name.other = entry else values.by_name[name] = entry end
  end
end

-- Everything that the client gave: the top of the request, then parameters.
local function given_values(payload)
  local values = { nil, nil, nil, nil, count = 0, by_name = {}, used_for = {} } -- room for most
  collect(values, payload, "")
  collect(values, payload.parameters, "parameters.")
  return values
end

-- The first value given for a field that nothing has taken yet.
local function take(values, field)
  for _, name in ipairs(field.names) do
    local entry = values.by_name[name]
    if entry and entry.taken then entry = entry.other end
    if entry and not entry.taken then
      entry.taken = true
      for _, same in ipairs(field.names) do values.used_for[same] = values.used_for[same] or entry end
      return entry
    end
  end
  return nil
end

local usual_path = stability_services.usual_path

local function refuse(refusals, field, message, allowed)
  refusals[#refusals + 1] = { field = field, message = message, allowed = allowed }
end

-- The form of the service's own fields. Adds to `refusals`; returns the parts, and the parts by name.
local function build_form(service, mode, values, refusals, ctx)
  local form, by_name, image_bytes = {}, {}, 0
  local of_mode = service.fields_of_mode[mode]
  local fields, count = present(of_mode, values.by_name, of_mode.required)
  for index = 1, count do
    local field = fields[index]
    local name, entry = field.name, take(values, field)
    if entry then
      local part, problem, bytes = part_of(field, entry, ctx)
      if part then
        form[#form + 1], by_name[name] = part, part
        image_bytes = image_bytes + (bytes or 0)
      else
        refusals[#refusals + 1], by_name[name] = problem, problem
      end
    elseif field.required then
      refuse(refusals, usual_path(name), "is required by this model")
    end
  end
  if image_bytes > MAX_IMAGE_BYTES then
    refuse(refusals, usual_path("image"), "the images must be at most 10 MiB together")
  end
  return form, by_name
end

-- The rules of a service about several of its fields.
local function check_rules(service, by_name, refusals)
  if service.any_of then
    local first, second = service.any_of[1], service.any_of[2]
    if not by_name[first] and not by_name[second] then
      refuse(refusals, usual_path(first), "is required by this model, or else " .. second)
    end
  end
  if service.any_nonzero then
    local is_zero = true
    for _, name in ipairs(service.any_nonzero) do
      local part = by_name[name]
      if part and part.value ~= "0" then is_zero = false end
    end
    if not is_zero then return end
    local message = "one of " .. table.concat(service.any_nonzero, ", ") .. " must be above 0"
    refuse(refusals, usual_path(service.any_nonzero[1]), message)
  end
end

-- A value of a name that nobody here knows: the vendor may. It goes out as it was given.
local function send_unknown(entry, form, refusals, ctx)
  local problem = undescribed.problem(entry.name, #form)
  if problem then return refuse(refusals, entry.path, problem) end
  ctx.warn { field = entry.path, message = "is not known here; sent as given" }
  form[#form + 1] = undescribed.part(entry.name, entry.value)
end

-- A value that has no place in the form: refused if it decides what is made, else left out with a warning.
local function leave_out(entry, payload, model, refusals, ctx)
  local name, field = entry.name, FIELDS[entry.name]
  if INEXPRESSIBLE[name] then
    refuse(refusals, entry.path, INEXPRESSIBLE[name])
  elseif field and field.x_decides then
    refuse(refusals, entry.path, "has no place in the model " .. model .. " (mode " .. payload.mode .. ")")
  else
    ctx.warn { field = entry.path, message = "left out: the model " .. model .. " does not take it" }
  end
end

-- A second value for a field that has one.
local function leave_out_second(entry, used, refusals, ctx)
  if given.same(entry.value, used.value) then return end
  local field = FIELDS[entry.name]
  if field and field.x_decides or entry.name == used.name and entry.name == "prompt" then
    refuse(refusals, entry.path, "contradicts " .. used.path .. ": give one or the other")
  else
    ctx.warn { field = entry.path, message = "left out: " .. used.path .. " says something else" }
  end
end

local function check_contradictions(payload, refusals, ctx)
  if not payload.contradictions then return end
  for _, item in ipairs(payload.contradictions) do
    if item.decides then
      refuse(refusals, item.field, "contradicts " .. item.beside .. ": give one or the other")
    else
      ctx.warn { field = item.field, message = "left out: " .. item.beside .. " says something else" }
    end
  end
end

-- What was given and has no place in the form.
local function check_leftovers(values, payload, model, form, refusals, ctx)
  for _, entry in ipairs(values) do
    if IS_SAMPLE_NAME[entry.name] then
      if entry.path == "parameters.samples" and tonumber(entry.value) ~= 1 then
        local field = given.path(payload, entry.path)
        refuse(refusals, field, "Stability makes one image per request; send one request for each", { 1 })
      end
    elseif not entry.taken and values.used_for[entry.name] then
      leave_out_second(entry, values.used_for[entry.name], refusals, ctx)
    elseif not entry.taken and stability_fields.is_unknown(entry.name) then
      send_unknown(entry, form, refusals, ctx)
    elseif not entry.taken then
      leave_out(entry, payload, model, refusals, ctx)
    end
  end
  if not payload.ignored then return end
  for _, name in ipairs(payload.ignored) do
    ctx.warn { field = name, message = "left out: not a field of this provider" }
  end
end

--- The form of a payload and its parts by name; or nil and the refusals.
function stability_form.make(payload, service, path, sd3_model, ctx)
  if payload.mode == stability_services.IMAGE_TO_IMAGE and not service.edits and not service.with_image then
    local message = "the model " .. payload.model .. " takes no image"
    local field = stability_services.model_path(payload)
    return nil, { field = field, message = message, allowed = stability_services.MODELS_WITH_IMAGE }
  end
  local refusals, values = {}, given_values(payload)
  check_contradictions(payload, refusals, ctx)
  local form, by_name = build_form(service, payload.mode, values, refusals, ctx)
  check_rules(service, by_name, refusals)
  check_leftovers(values, payload, sd3_model or path, form, refusals, ctx)
  if refusals[1] then return nil, refusals end
  if sd3_model then
    form[#form + 1] = { name = "model", value = sd3_model }
    form[#form + 1] = { name = "mode", value = payload.mode }
  end
  return form, by_name
end

return stability_form
