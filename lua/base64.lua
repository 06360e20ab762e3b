-- base64.lua - RFC 4648 base64, for vendors whose request or answer is the bare bytes of a file.
--
-- A script has little memory and time: the work is done in pieces of a few KiB, so that a picture of some megabytes takes
-- a fraction of a second and about twice its size. Where the host can do it (a data_uri part of a form), let the host do it.

local base64 = {}

local ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

-- Multiples of 3 and of 4, so that a piece never ends inside a group.
local PIECE_BYTES = 3 * 2048
local PIECE_TEXT = 4 * 2048

-- Two base64 characters for each 12-bit number: two look-ups encode three bytes.
local function make_pairs()
  local pairs_of = {}
  for high = 0, 63 do
    local first = string.sub(ALPHABET, high + 1, high + 1)
    for low = 0, 63 do pairs_of[high * 64 + low] = first .. string.sub(ALPHABET, low + 1, low + 1) end
  end
  return pairs_of
end

local function make_values()
  local values = {}
  for index = 1, #ALPHABET do values[string.byte(ALPHABET, index)] = index - 1 end
  return values
end

local function encode_piece(bytes, first, last, pairs_of)
  local out, count = {}, 0
  for index = first, last, 3 do
    local one, two, three = string.byte(bytes, index, index + 2)
    local group = one << 16 | (two or 0) << 8 | (three or 0)
    local text = pairs_of[group >> 12] .. pairs_of[group & 0xFFF]
    if not three then text = string.sub(text, 1, two and 3 or 2) .. (two and "=" or "==") end
    count = count + 1
    out[count] = text
  end
  return table.concat(out)
end

--- The base64 text of some bytes.
function base64.encode(bytes)
  local pairs_of, pieces = make_pairs(), {}
  for first = 1, #bytes, PIECE_BYTES do
    pieces[#pieces + 1] = encode_piece(bytes, first, math.min(first + PIECE_BYTES - 1, #bytes), pairs_of)
  end
  return table.concat(pieces)
end

local function decode_piece(text, first, last, values)
  local out, count = {}, 0
  for index = first, last, 4 do
    local a, b, c, d = string.byte(text, index, index + 3)
    a, b, c, d = values[a], values[b], values[c or -1], values[d or -1]
    if not a or not b or (d and not c) then return nil end
    local group = a << 18 | b << 12 | (c or 0) << 6 | (d or 0)
    count = count + 1
    if d then
      out[count] = string.char(group >> 16, group >> 8 & 0xFF, group & 0xFF)
    elseif index + 3 < last then
      return nil
    else
      out[count] = c and string.char(group >> 16, group >> 8 & 0xFF) or string.char(group >> 16)
    end
  end
  return table.concat(out)
end

--- The bytes of a base64 text (from byte `first` on, default 1), or nil if it is not base64. Padding may be left out.
function base64.decode(text, first)
  first = first or 1
  local values, pieces, last = make_values(), {}, #text
  while last >= first and last > #text - 2 and string.byte(text, last) == string.byte("=") do last = last - 1 end
  if (last - first + 1) % 4 == 1 then return nil end
  for start = first, last, PIECE_TEXT do
    local piece_last = math.min(start + PIECE_TEXT - 1, last)
    local piece = decode_piece(string.sub(text, start, piece_last), 1, piece_last - start + 1, values)
    if not piece or (piece_last < last and #piece ~= PIECE_TEXT // 4 * 3) then return nil end
    pieces[#pieces + 1] = piece
  end
  return table.concat(pieces)
end

return base64
