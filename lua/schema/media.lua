-- media.lua - which inputs of a model are files, which decide its price, and what it makes.

local cjson = require "cjson"
local names = require "names"

local media = {}

local is_array = cjson.is_array
local find, lower, match, sub = string.find, string.lower, string.match, string.sub
local ipairs, type = ipairs, type

local MAX_FOUND = 64

-- Inputs that raise or lower a price by what the vendor says in words only.
local DRIVERS = {
  "duration", "resolution", "quality", "generate_audio", "audio", "enable_web_search", "max_images", "num_frames", "fps",
  "target_fps", "upscale_factor", "mode", "style",
}
media.IS_DRIVER = names.set(DRIVERS)

-- ---- files -------------------------------------------------------------------------------------------------------------

local KINDS = { { "image", "image" }, { "mask", "image" }, { "video", "video" }, { "audio", "audio" } }

local function kind_in_name(name)
  for _, pair in ipairs(KINDS) do
    if find(name, pair[1], 1, true) then return pair[2] end
  end
  return "file"
end

local function told_kind(node)
  local ui = node.ui
  local kind = type(ui) == "table" and ui.field or node._fal_ui_field
  if type(kind) ~= "string" then return nil end
  return kind == "image" and "image" or kind == "video" and "video" or kind == "audio" and "audio" or nil
end

-- Whether a name is that of a file by itself: fal's documents have nothing else to go by.
local function is_file_name(name)
  return find(name, "_urls?$") ~= nil or name == "path" or name == "url"
end

--- The kind of file that an input takes, or nil: image, video, audio, file. `node` is the vendor's, `normal` ours.
function media.kind_of(node, normal, name)
  local kind = normal.type
  if type(kind) == "table" then kind = kind[1] end
  if kind ~= "string" or normal.enum then return nil end
  name = lower(name)
  local told = told_kind(node)
  if told then return told end
  if type(node.comment) == "string" and sub(node.comment, 1, 11) == "type=binary" then return kind_in_name(name) end
  if type(node["x-fal"]) == "table" and is_file_name(name) then return kind_in_name(name) end
  if node.format == "uri" then return is_file_name(name) and kind_in_name(name) or "file" end
  return is_file_name(name) and kind_in_name(name) or normal.x_file
end

local function add_files(found, node, path, depth)
  if depth > 16 or found.count >= MAX_FOUND then return end
  if node.x_file then
    found.files[path] = node.x_file
    found.count = found.count + 1
  end
  if node.items then add_files(found, node.items, path .. "[]", depth + 1) end
  for _, name in ipairs(names.sorted(node.properties or {})) do
    add_files(found, node.properties[name], path == "" and name or path .. "." .. name, depth + 1)
  end
  for _, branch in ipairs(node.anyOf or {}) do add_files(found, branch, path, depth + 1) end
end

--- Doors: schema.lua.
function media.files(normal)
  local found = { files = {}, count = 0 }
  add_files(found, normal or {}, "", 1)
  return found.files
end

-- ---- prices ------------------------------------------------------------------------------------------------------------

-- A size that the model chooses has no price before it is made.
local function is_auto(property)
  for _, node in ipairs { property, table.unpack(property.anyOf or {}) } do
    for _, value in ipairs(node.enum or {}) do
      if type(value) == "string" and sub(value, 1, 4) == "auto" then return true end
    end
  end
  return false
end

--- Doors: schema.lua.
function media.drivers(normal)
  local properties, list = normal and normal.properties or {}, cjson.array {}
  for _, name in ipairs(DRIVERS) do
    if properties[name] then list[#list + 1] = name end
  end
  if properties.image_size and is_auto(properties.image_size) then list[#list + 1] = "image_size" end
  return list
end

-- ---- outputs -----------------------------------------------------------------------------------------------------------

local OUTPUT_NAMES = {
  { "image", "image" }, { "mask", "image" }, { "video", "video" }, { "audio", "audio" }, { "mesh", "3d" }, { "glb", "3d" },
  { "model_", "3d" },
}

local function output_kind(name, kind)
  for _, pair in ipairs(OUTPUT_NAMES) do
    if find(name, pair[1], 1, true) then return pair[2] end
  end
  return kind or "file"
end

-- Whether a schema is that of a file: a text that is an address, or an object that has one.
local function is_file(node)
  if node.x_file or node.format == "uri" then return true end
  return node.properties ~= nil and node.properties.url ~= nil
end

local function add_outputs(list, node, path, name, kind, depth)
  if depth > 4 or #list >= MAX_FOUND then return end
  local several = node.items
  if several and is_file(several) then
    list[#list + 1] = { path = path .. "[]", kind = output_kind(name, kind), many = true }
  elseif is_file(node) then
    list[#list + 1] = { path = path, kind = output_kind(name, kind), many = false }
  else
    for _, inner in ipairs(names.sorted(node.properties or {})) do
      add_outputs(list, node.properties[inner], path == "" and inner or path .. "." .. inner, inner, kind, depth + 1)
    end
  end
end

--- Doors: schema.lua. `normal` is the normal form of the output's schema, `kind` what the vendor says of the whole ("video"),
-- or nil.
function media.outputs(normal, kind)
  local list = cjson.array {}
  if type(normal) == "table" and not is_array(normal) then add_outputs(list, normal, "", "", kind, 1) end
  return list
end

local IS_KIND = names.words "image video audio text json 3d"

--- The kind of what is made, out of a task as vendors write it ("text-to-image", "image-to-video"); "other" for what is none.
function media.kind_of_task(task)
  local made = type(task) == "string" and match(sub(lower(task), 1, 100), "%-to%-([%w]+)$")
  if made == "speech" or made == "music" then return "audio" end
  return made and IS_KIND[made] and made or "other"
end

return media
