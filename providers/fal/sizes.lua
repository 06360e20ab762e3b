-- sizes.lua - the size of an image, which a request may say in several ways.

local check = require "check"
local models = require "fal.models"
local names = require "names"
local plan = require "plan"

local sizes = {}

local SIZES = {
  square_hd = { 1024, 1024 }, square = { 512, 512 }, portrait_4_3 = { 768, 1024 }, portrait_16_9 = { 576, 1024 },
  landscape_4_3 = { 1024, 768 }, landscape_16_9 = { 1024, 576 },
}
local SIZE_NAMES = names.sorted(SIZES)
sizes.SIZE_NAMES = SIZE_NAMES
local DEFAULT_SIZE = "landscape_4_3" -- of every Flux model that has sizes
local SIZE_OF_ASPECT = {
  ["1:1"] = "square_hd", ["3:4"] = "portrait_4_3", ["9:16"] = "portrait_16_9",
  ["4:3"] = "landscape_4_3", ["16:9"] = "landscape_16_9",
}
local ASPECTS = names.sorted(SIZE_OF_ASPECT)

-- These make one input together.
local SIZE_PARAMETERS = names.set { "image_size", "resolution", "width", "height", "aspect_ratio" }
sizes.SIZE_PARAMETERS = SIZE_PARAMETERS
local SIZE_NOT_IN_WORDS = { "image_size", "resolution", "width" }

-- "1024x768" as a size, or nil.
local function size_in_words(text)
  if type(text) ~= "string" then return nil end
  local width, height = string.match(string.sub(text, 1, 32), "^(%d+)%s*x%s*(%d+)$")
  width, height = math.tointeger(tonumber(width)), math.tointeger(tonumber(height))
  return width and height and width > 0 and height > 0 and { width = width, height = height } or nil
end

sizes.in_words, sizes.OF_ASPECT = size_in_words, SIZE_OF_ASPECT

-- Width and height that a parameter stands for, or nil.
local function sides_of(parameters, name)
  local value = parameters[name]
  if name == "width" then return value, parameters.height end
  local size = type(value) == "string" and size_in_words(value) or value
  if type(size) == "table" then return size.width, size.height end
  local sides = SIZES[size]
  if sides then return sides[1], sides[2] end
end

local function is_same_size(parameters, one, other)
  local width, height = sides_of(parameters, one)
  local other_width, other_height = sides_of(parameters, other)
  return width ~= nil and width == other_width and height == other_height
end

--- Refuses what contradicts itself.
function sizes.check(parameters)
  if (parameters.width == nil) ~= (parameters.height == nil) then
    local missing = parameters.width and "height" or "width"
    check.fail("parameters." .. missing, "is required together with " .. (parameters.width and "width" or "height"))
  end
  local first
  for index = 1, #SIZE_NOT_IN_WORDS do
    local name = SIZE_NOT_IN_WORDS[index]
    if first and parameters[name] ~= nil and not is_same_size(parameters, first, name) then
      check.fail("parameters." .. name, "gives another size than " .. first)
    elseif parameters[name] ~= nil then
      first = first or name
    end
  end
end

local DEFAULT_RESOLUTION = size_in_words(models.DEFAULTS.resolution)

-- The size as fal writes it, the parameter that it came from, or nil and what is wrong.
local function size_of(parameters)
  if type(parameters.image_size) == "table" then return parameters.image_size, "image_size" end
  if parameters.width then return { width = parameters.width, height = parameters.height }, "width" end
  local name = parameters.image_size and "image_size" or "resolution"
  local text = parameters[name]
  if text == nil then return nil end
  if SIZES[text] then return text, name end
  local size = text == models.DEFAULTS.resolution and DEFAULT_RESOLUTION or size_in_words(text)
  if size then return size, name end
  return nil, name, "must be WIDTHxHEIGHT or one of " .. table.concat(SIZE_NAMES, ", ")
end

--- The size to put in and the parameter that it came from; third an aspect ratio, where that is an input of its own.
function sizes.choose(built, parameters)
  local size, name, problem = size_of(parameters)
  if problem then return plan.refuse(built, "parameters." .. name, problem, SIZE_NAMES) end
  local aspect, description = parameters.aspect_ratio, built.description
  if not aspect or not (description and description.inputs.image_size) then return size, name, aspect end
  if size then
    plan.warn(built, "parameters.aspect_ratio", "left out: the size is given, too")
    return size, name
  end
  if SIZE_OF_ASPECT[aspect] then return SIZE_OF_ASPECT[aspect], "aspect_ratio" end
  plan.refuse(built, "parameters.aspect_ratio", "must be one of " .. table.concat(ASPECTS, ", "), ASPECTS)
end

--- How many pixels a size has.
function sizes.pixels(size)
  if type(size) == "table" then return size.width * size.height end
  local sides = SIZES[size or DEFAULT_SIZE]
  return sides[1] * sides[2]
end

return sizes
