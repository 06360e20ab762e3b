-- sizes.lua - the size of what Runway makes, which the vendor calls a ratio.

local check = require "check"
local given = require "given"
local plans = require "plan"

local runway_sizes = {}

local NONE = {}

runway_sizes.DEFAULT_ASPECT = "16:9"
local DEFAULT_RESOLUTION = "720p"
runway_sizes.DEFAULT_RESOLUTION = DEFAULT_RESOLUTION

local function add_once(list, value)
  if value and not check.in_list(value, list) then list[#list + 1] = value end
end

-- The ratio of the size with this aspect ratio and resolution, or nil.
local function find_ratio(sizes, aspect, resolution)
  for _, size in ipairs(sizes) do
    if size[1] == aspect or (size[2] == aspect and size[3] == resolution) then return size[1] end
  end
  return nil
end

-- The aspect ratios that there are, and the resolutions of one of them.
local function sizes_instead(sizes, aspect)
  local aspects, resolutions = {}, {}
  for _, size in ipairs(sizes) do
    add_once(aspects, size[2])
    if size[2] == aspect then add_once(resolutions, size[3]) end
  end
  return aspects, resolutions
end

local function ratios_of(sizes)
  local ratios = {}
  for index, size in ipairs(sizes) do ratios[index] = size[1] end
  return ratios
end

--- "W:H" from width and height, or from a resolution that is written as a size; and its field.
function runway_sizes.in_pixels(parameters)
  if parameters.width and parameters.height then return parameters.width .. ":" .. parameters.height, "parameters.width" end
  local resolution = parameters.resolution
  if type(resolution) ~= "string" or resolution == DEFAULT_RESOLUTION then return nil end
  local width, height = string.match(string.sub(resolution, 1, 32), "^(%d+)[x:](%d+)$")
  if width then return width .. ":" .. height, "parameters.resolution" end
  return nil
end

local function refuse_half_a_size(plan, parameters)
  if (parameters.width == nil) ~= (parameters.height == nil) then
    local absent = parameters.width and "parameters.height" or "parameters.width"
    plans.refuse(plan, absent, "is needed: a size has a width and a height")
    return true
  end
  return false
end

-- How far apart two aspect ratios are that have one name: 1584:672 is called 21:9.
local NEARLY = 0.02
-- And where the vendor's sizes have no names: 1184:864 is what it makes of 4:3.
local ROUGHLY = 0.03

local function quotient_of(ratio)
  local width, height = string.match(string.sub(ratio, 1, 32), "^(%d+):(%d+)$")
  width, height = tonumber(width), tonumber(height)
  if not width or height == 0 then return nil end
  return width / height, math.min(width, height)
end

local function has_aspect(ratio, row, aspect, nearly)
  if aspect == ratio or (row and row[2] == aspect) then return true end
  local one, other = quotient_of(ratio), quotient_of(aspect)
  return one ~= nil and other ~= nil and math.abs(one / other - 1) < (nearly or NEARLY)
end

local function has_resolution(ratio, row, resolution)
  if row and row[3] == resolution then return true end
  local _, side = quotient_of(ratio)
  return resolution == tostring(side) .. "p" or string.gsub(resolution, "x", ":") == ratio
end

-- Refuses a size in pixels that is not of the aspect ratio or the resolution that was given beside it.
local function check_size_is_one(plan, payload, spec, ratio, field)
  local aspect, resolution, row = payload.aspect_ratio, payload.parameters.resolution, nil
  for _, size in ipairs(spec.sizes or NONE) do
    if size[1] == ratio then row = size end
  end
  if spec.fields.resolution then resolution = nil end
  if (aspect and not has_aspect(ratio, row, aspect)) or (resolution and not has_resolution(ratio, row, resolution)) then
    plans.refuse(plan, field, "contradicts the aspect ratio or the resolution: give one or the other")
  end
end

-- The vendor's own word is the user's to choose.
local function add_given_ratio(plan, payload, spec)
  local ratio = payload.parameters.ratio
  local pixels, pixels_field = runway_sizes.in_pixels(payload.parameters)
  if pixels and pixels ~= ratio then
    plans.refuse(plan, pixels_field, "contradicts parameters.ratio: give one or the other")
  end
  check_size_is_one(plan, payload, spec, ratio, "parameters.ratio")
end

local function add_size_from_table(plan, payload, spec)
  local parameters = payload.parameters
  local pixels, pixels_field = runway_sizes.in_pixels(parameters)
  if pixels then
    if not check.in_list(pixels, ratios_of(spec.sizes)) then
      return plans.refuse(plan, pixels_field, spec.id .. " does not make this size", ratios_of(spec.sizes))
    end
    plan.body.ratio = pixels
    return check_size_is_one(plan, payload, spec, pixels, pixels_field)
  end
  local aspect, resolution = payload.aspect_ratio, parameters.resolution
  if not aspect and not resolution and not spec.inputs.ratio.default then return end
  aspect, resolution = aspect or runway_sizes.DEFAULT_ASPECT, resolution or runway_sizes.DEFAULT_RESOLUTION
  plan.body.ratio = find_ratio(spec.sizes, aspect, resolution)
  if plan.body.ratio then return end
  local aspects, resolutions = sizes_instead(spec.sizes, aspect)
  if #resolutions == 0 then
    plans.refuse(plan, "aspect_ratio", spec.id .. " does not make this aspect ratio here", aspects)
  else
    plans.refuse(plan, "parameters.resolution", spec.id .. " does not make this resolution here", resolutions)
  end
end

-- The sizes that a model is known to make of an aspect ratio, and of a resolution, if one is named.
local function sizes_like(spec, aspect, resolution)
  local input, found = spec.inputs.ratio, {}
  for _, ratio in ipairs(input.examples or input.enum or NONE) do
    if has_aspect(ratio, nil, aspect, ROUGHLY) and (not resolution or has_resolution(ratio, nil, resolution)) then
      found[#found + 1] = ratio
    end
  end
  return found
end

-- An aspect ratio means the one size that a model makes of it; of several the client says which: they differ in price.
local function add_size_alike(plan, spec, aspect, resolution)
  local sizes = sizes_like(spec, aspect, resolution)
  if #sizes == 1 then
    plan.body.ratio = sizes[1]
  elseif sizes[1] then
    plans.refuse(plan, "aspect_ratio", spec.id .. " makes it in several sizes: say which in parameters.ratio", sizes)
  end
  return sizes[1] ~= nil
end

-- Models without a table: an aspect ratio in words, a field of their own, or only the vendor's `ratio`.
local function add_size_in_words(plan, payload, spec)
  local parameters, aspect = payload.parameters, payload.aspect_ratio
  local pixels, pixels_field = runway_sizes.in_pixels(parameters)
  if pixels and spec.ratio == "free" then
    plan.body.ratio = pixels
    return check_size_is_one(plan, payload, spec, pixels, pixels_field)
  end
  local resolution = not spec.fields.resolution and parameters.resolution or nil
  if aspect and spec.ratio == "free" and add_size_alike(plan, spec, aspect, resolution) then return end
  if pixels then
    plans.refuse(plan, pixels_field, spec.id .. " takes no size in pixels")
  elseif parameters.resolution and not spec.fields.resolution then
    plans.refuse(plan, "parameters.resolution", spec.id .. " takes no resolution"
      .. (spec.ratio == "free" and ": give parameters.ratio, a size in pixels such as 1280:720" or ""))
  end
  if not aspect then return end
  if spec.ratio == "words" then
    plan.body.ratio = aspect
  elseif spec.aspect_key and check.in_list(aspect, spec.aspects) then
    given.put(plan, plan.body, spec.aspect_key, aspect, "parameters." .. spec.aspect_key)
  elseif spec.ratio == "free" and string.find(aspect, "^%d%d%d+:%d%d%d+$") then
    plan.body.ratio = aspect
  else
    plans.refuse(plan, "aspect_ratio", spec.id .. " does not take this aspect ratio"
      .. (spec.ratio == "free" and ": give parameters.ratio, a size in pixels such as 1280:720" or ""), spec.aspects)
  end
end

--- Puts the size into the plan's body, or refuses it.
function runway_sizes.add(plan, payload, spec)
  local parameters = payload.parameters
  if refuse_half_a_size(plan, parameters) then return end
  if parameters.ratio ~= nil then
    if not spec.fields.ratio then
      return plans.refuse(plan, "parameters.ratio", spec.id .. " takes no ratio")
    end
    return add_given_ratio(plan, payload, spec)
  end
  if spec.ratio == "table" then return add_size_from_table(plan, payload, spec) end
  add_size_in_words(plan, payload, spec)
end

return runway_sizes
