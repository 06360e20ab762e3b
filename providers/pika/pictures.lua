-- pictures.lua - the lists of pictures that a request for Pika may bring, and the addresses of files.

local names = require "names"

local pictures = {}

--- A file's address: text, or an object that holds it.
function pictures.address_in(value)
  if type(value) ~= "table" then return value end
  return value.image_url or value.video_url or value.url or value.uri or value.image
end

-- Both at the top and in the parameters; lists of files, with how many there must be.
local LISTS = {
  references = {
    names = { "references", "reference", "reference_images", "images" }, fal = "images", direct = "images", least = 1, most = {},
  },
  frames = {
    names = { "frames", "storyboard", "reference_frames", "image_urls", "keyframes", "keyFrames" },
    fal = "image_urls", direct = "keyFrames", least = 2, most = { fal = 5 },
  },
}
pictures.LISTS = LISTS
local LIST_KINDS = names.sorted(LISTS)
pictures.LIST_KINDS = LIST_KINDS
local PICTURES = {}
for kept_as, list in pairs(LISTS) do
  list.is_name, list.at_top = names.set(list.names), { kept_as }
  for _, name in ipairs(list.names) do PICTURES[name] = kept_as end
end

--- Every name of a list, with the name that it is kept by.
pictures.PICTURES = PICTURES

--- Whether a payload brings pictures of this kind.
function pictures.has(payload, kind)
  return payload[kind] ~= nil or names.has_any(payload.parameters, LISTS[kind].is_name)
end

--- Whether a payload brings pictures in a list.
function pictures.has_any(payload)
  return payload.frames ~= nil or payload.references ~= nil or names.has_any(payload.parameters, PICTURES)
end

return pictures
