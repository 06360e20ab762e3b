-- near.lua - which name was probably meant by one that does not exist.

local gsub, lower = string.gsub, string.lower
local abs, min = math.abs, math.min
local byte = string.byte

local near = {}

local MAX_BYTES = 64

-- Names that differ only in this are the same to a reader: case, `_`, `-`, and an s at the end.
local function plain(name)
  return (gsub(gsub(lower(name), "[_%-]", ""), "s$", ""))
end

-- How many edits apart two names are, given up above `most`.
local function distance(one, other, most)
  if abs(#one - #other) > most then return most + 1 end
  local row = {}
  for column = 0, #other do row[column] = column end
  for line = 1, #one do
    local diagonal, best = row[0], line
    row[0] = line
    for column = 1, #other do
      local same = byte(one, line) == byte(other, column)
      local value = same and diagonal or 1 + min(diagonal, row[column], row[column - 1])
      diagonal, row[column] = row[column], value
      if value < best then best = value end
    end
    if best > most then return most + 1 end
  end
  return row[#other]
end

-- In a short name a few edits make any other.
local function allowed_edits(name)
  return #name < 3 and 0 or #name < 5 and 1 or 2
end

--- The nearest of `candidates` (a sorted list of names), or nil when none is near.
function near.name(name, candidates)
  if #name > MAX_BYTES then return nil end
  local this, best, best_distance = plain(name), nil, nil
  for _, candidate in ipairs(candidates) do
    if #candidate <= MAX_BYTES then
      local edits = plain(candidate) == this and 0 or distance(name, candidate, allowed_edits(name))
      if edits <= allowed_edits(name) and (not best or edits < best_distance) then best, best_distance = candidate, edits end
    end
  end
  return best
end

return near
