-- ids.lua - the ids of fal's models, and the paths of their requests.

local names = require "names"
local url_parts = require "url_parts"

local find, sub = string.find, string.sub

local ids = {}

--- Whether a text has the form of a model id: owner/app, with further path segments or without.
function ids.is_model_id(text)
  if #text > 200 or not string.find(text, "^[%w._-]+/[%w._/-]*[%w._-]$") then return false end
  return not string.find(text, "//", 1, true) and not string.find("/" .. text .. "/", "/%.+/")
end

local PAGES = names.set { "fal.ai", "www.fal.ai", "fal.run", "queue.fal.run" }

--- The model that the address of a page or of an API call names, to be written instead of it; nil for anything else.
function ids.model_of_address(text)
  local url = url_parts.parse(text)
  if not url or not PAGES[url.host] then return nil end
  local model = string.gsub(string.gsub(url.path, "^/models/", "/"), "^/", "")
  model = string.gsub(string.gsub(model, "/requests/.*$", ""), "/+$", "")
  model = string.gsub(string.gsub(model, "/api$", ""), "/playground$", "")
  return ids.is_model_id(model) and model or nil
end

--- What is to be said of a text that is no model's id; `example` is one.
function ids.not_a_model(text, whose, example)
  local message = "must be a model of " .. whose .. ", such as " .. example
  local model = ids.model_of_address(text)
  return model and message .. ": write " .. model .. " instead of the address" or message
end

--- The path under which a model's requests are kept: its first two segments, in two namespaces three.
function ids.app_path(model)
  local first = find(model, "/", 1, true)
  local second = find(model, "/", first + 1, true)
  local namespace = sub(model, 1, first - 1)
  if second and (namespace == "workflows" or namespace == "comfy") and #model > second then
    second = find(model, "/", second + 1, true)
  end
  return "/" .. (second and sub(model, 1, second - 1) or model)
end

return ids
