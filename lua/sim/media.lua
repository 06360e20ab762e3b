-- media.lua - the files that simulated vendors make: PNG, JPEG, WebP and MP4 that decode, small and quickly made.
--
-- PNG is a palette image in stored deflate blocks; JPEG and WebP are one colour. MP4 holds H.264 (constrained baseline): the
-- first macroblock of the first picture says the colour (I_PCM), the others are predicted from it, and every later picture is "as
-- before". Sizes, colours and durations are what the caller asks for, so two jobs differ and one job is always the same.
local crypto = require "crypto"

local media = {}

local function u16(value) return string.pack(">I2", value) end
local function u32(value) return string.pack(">I4", value) end

-- Bits ---------------------------------------------------------------------------------------------------------------------

-- Collects bits, the highest first.
local function bits()
  local out, pending, count = {}, 0, 0
  local writer = {}
  function writer.put(value, width)
    pending, count = pending << width | value, count + width
    while count >= 8 do
      count = count - 8
      out[#out + 1] = string.char(pending >> count & 255)
      pending = pending & (1 << count) - 1
    end
  end
  function writer.ue(value) -- Exp-Golomb
    local width, rest = 0, value + 1
    while rest > 1 do rest, width = rest >> 1, width + 1 end
    writer.put(0, width)
    writer.put(value + 1, width + 1)
  end
  function writer.align(bit)
    while count > 0 do writer.put(bit, 1) end
  end
  function writer.bytes(text) out[#out + 1] = text end
  function writer.stop() -- rbsp_trailing_bits
    writer.put(1, 1)
    writer.align(0)
  end
  function writer.text() return table.concat(out) end
  return writer
end

-- Images -------------------------------------------------------------------------------------------------------------------

local function chunk(kind, data)
  return u32(#data) .. kind .. data .. u32(crypto.crc32(kind .. data))
end

-- zlib without compression (RFC 1950, RFC 1951 3.2.4).
local function stored(data)
  local out = { "\x78\x01" }
  for at = 1, #data, 65535 do
    local block = data:sub(at, at + 65534)
    out[#out + 1] = string.pack("<BI2I2", at + 65535 > #data and 1 or 0, #block, ~#block & 65535) .. block
  end
  out[#out + 1] = u32(crypto.adler32(data))
  return table.concat(out)
end

-- Pictures of a size share their pixels; only the palette differs.
local pixels, pixel_count = {}, 0

local function pixel_chunk(width, height)
  local key = width .. "x" .. height
  if not pixels[key] then
    if pixel_count == 64 then pixels, pixel_count = {}, 0 end
    pixel_count = pixel_count + 1
    local row = (width + 7) // 8
    local top = "\0" .. ("\x0f"):rep(row)
    local bottom = "\0" .. ("\xf0"):rep(row)
    pixels[key] = chunk("IDAT", stored(top:rep(height // 2) .. bottom:rep(height - height // 2)))
  end
  return pixels[key]
end

--- Two colours (each three bytes) in stripes.
function media.png(width, height, colour, second)
  return "\137PNG\r\n\26\n" .. chunk("IHDR", u32(width) .. u32(height) .. "\1\3\0\0\0") .. chunk("PLTE", colour .. second) ..
    pixel_chunk(width, height) .. chunk("IEND", "")
end

local function to_ycc(colour)
  local r, g, b = colour:byte(1, 3)
  local function clamp(value) return math.max(16, math.min(235, math.floor(value + 0.5))) end
  return clamp(0.299 * r + 0.587 * g + 0.114 * b), clamp(128 - 0.169 * r - 0.331 * g + 0.5 * b),
    clamp(128 + 0.5 * r - 0.419 * g - 0.081 * b)
end

-- The first block of a component: its level as DC difference (category and bits), and no AC.
local function first_block(writer, level)
  local value, width = math.abs(level), 0
  while value >> width > 0 do width = width + 1 end
  writer.put(width, 4) -- the code of category n is n in four bits
  writer.put(level < 0 and level + (1 << width) - 1 or level, width)
  writer.put(0, 1)
end

local function jpeg_head(width, height)
  local frame = "\8" .. u16(height) .. u16(width) .. "\3\1\x11\0\2\x11\0\3\x11\0"
  local dc = "\0" .. ("\0"):rep(3) .. "\12" .. ("\0"):rep(12) .. "\0\1\2\3\4\5\6\7\8\9\10\11"
  local ac = "\x10" .. "\1" .. ("\0"):rep(15) .. "\0"
  local function segment(marker, data) return "\xff" .. marker .. u16(#data + 2) .. data end
  return "\xff\xd8" .. segment("\xe0", "JFIF\0\1\1\0\0\1\0\1\0\0") .. segment("\xdb", "\0" .. ("\8"):rep(64)) ..
    segment("\xc0", frame) .. segment("\xc4", dc) .. segment("\xc4", ac) .. segment("\xda", "\3\1\0\2\0\3\0\0\63\0")
end

--- One colour.
function media.jpeg(width, height, colour)
  local writer = bits()
  local blocks = (width + 7) // 8 * ((height + 7) // 8)
  for _, level in ipairs { to_ycc(colour) } do first_block(writer, level - 128) end
  local zeros = 15 * (blocks - 1) -- three times: no difference (0000), end of block (0)
  writer.put(0, zeros % 8)
  local rest = ("\0"):rep(zeros // 8)
  writer.put(0, 8) -- brings out what is pending; the byte too many is as good as any padding
  return jpeg_head(width, height) .. writer.text():gsub("\xff", "\xff\0") .. rest .. "\xff\xd9"
end

--- One colour, lossless.
function media.webp(width, height, colour)
  local value, count, out = 0, 0, {}
  local function put(part, size) -- the lowest first
    value, count = value | part << count, count + size
    while count >= 8 do
      out[#out + 1] = string.char(value & 255)
      value, count = value >> 8, count - 8
    end
  end
  put(0x2f, 8)
  put(width - 1, 14)
  put(height - 1, 14)
  put(0, 1 + 3 + 1 + 1 + 1) -- no alpha, version 0, no transform, no colour cache, one set of codes
  local r, g, b = colour:byte(1, 3)
  for _, symbol in ipairs { g, r, b, 255 } do
    put(5, 3) -- a simple code with one symbol of eight bits
    put(symbol, 8)
  end
  put(1, 4) -- the distance code: one symbol, 0
  put(0, 7)
  local data = table.concat(out)
  if #data % 2 == 1 then data = data .. "\0" end
  local body = "WEBPVP8L" .. string.pack("<I4", #data) .. data
  return "RIFF" .. string.pack("<I4", #body) .. body
end

-- Video --------------------------------------------------------------------------------------------------------------------

local function nal(header, payload)
  payload = payload:gsub("\0\0([\0-\3])", "\0\0\3%1")
  return string.char(header) .. payload
end

local function sequence_set(columns, rows, width, height)
  local writer = bits()
  writer.bytes("\66\xc0\40") -- baseline, constrained, level 4.0
  writer.ue(0)
  writer.ue(0) -- frame numbers of four bits
  writer.ue(2) -- pictures are shown in the order of the file
  writer.ue(1)
  writer.put(0, 1)
  writer.ue(columns - 1)
  writer.ue(rows - 1)
  writer.put(3, 2) -- frames only; direct_8x8_inference
  writer.put(1, 1) -- cropping
  writer.ue(0)
  writer.ue((columns * 16 - width) // 2)
  writer.ue(0)
  writer.ue((rows * 16 - height) // 2)
  writer.put(0, 1)
  writer.stop()
  return nal(0x67, writer.text())
end

local function picture_set()
  local writer = bits()
  writer.ue(0)
  writer.ue(0)
  writer.put(0, 2)
  for _ = 1, 3 do writer.ue(0) end
  writer.put(0, 3)
  for _ = 1, 3 do writer.ue(0) end
  writer.put(4, 3) -- the deblocking filter can be turned off
  writer.stop()
  return nal(0x68, writer.text())
end

local function first_picture(columns, rows, colour)
  local y, cb, cr = to_ycc(colour)
  local writer = bits()
  writer.ue(0)
  writer.ue(7)
  writer.ue(0)
  writer.put(0, 4)
  writer.ue(0)
  writer.put(0, 2)
  writer.ue(0)
  writer.ue(1)
  writer.ue(25) -- I_PCM
  writer.align(0)
  writer.bytes(string.char(y):rep(256) .. string.char(cb):rep(64) .. string.char(cr):rep(64))
  for row = 0, rows - 1 do
    for column = 0, columns - 1 do
      if row + column == 1 then
        writer.put(0x27 >> 1 << 6 | 3, 13) -- beside I_PCM "no coefficients" is written 000011
      elseif row + column > 0 then
        writer.put(0x27, 8) -- predicted from its neighbours, no coefficients
      end
    end
  end
  writer.stop()
  return nal(0x65, writer.text())
end

local function same_picture(number, blocks)
  local writer = bits()
  writer.ue(0)
  writer.ue(5)
  writer.ue(0)
  writer.put(number % 16, 4)
  writer.put(0, 3)
  writer.ue(0)
  writer.ue(1)
  writer.ue(blocks)
  writer.stop()
  return nal(0x41, writer.text())
end

local function box(kind, ...)
  local data = table.concat { ... }
  return u32(#data + 8) .. kind .. data
end

local MATRIX = u32(0x10000) .. ("\0"):rep(12) .. u32(0x10000) .. ("\0"):rep(12) .. u32(0x40000000)

local function sample_entry(width, height, sps, pps)
  local configuration = box("avcC", "\1", sps:sub(2, 4), "\xff\xe1", u16(#sps), sps, "\1", u16(#pps), pps)
  return box("avc1", ("\0"):rep(6), u16(1), ("\0"):rep(16), u16(width), u16(height), u32(0x480000), u32(0x480000), u32(0), u16(1),
    ("\0"):rep(32), u16(24), "\xff\xff", configuration)
end

local function sample_table(entry, sizes, rate, offset)
  local size_list = {}
  for i, size in ipairs(sizes) do size_list[i] = u32(size) end
  return box("stbl", box("stsd", u32(0), u32(1), entry), box("stts", u32(0), u32(1), u32(#sizes), u32(24000 // rate)),
    box("stss", u32(0), u32(1), u32(1)), box("stsc", u32(0), u32(1), u32(1), u32(#sizes), u32(1)),
    box("stsz", u32(0), u32(0), u32(#sizes), table.concat(size_list)), box("stco", u32(0), u32(1), u32(offset)))
end

local function movie(width, height, duration, samples)
  local head = box("mvhd", u32(0), u32(0), u32(0), u32(24000), u32(duration), u32(0x10000), u16(0x100), ("\0"):rep(10), MATRIX,
    ("\0"):rep(24), u32(2))
  local track = box("tkhd", u32(7), u32(0), u32(0), u32(1), u32(0), u32(duration), ("\0"):rep(16), MATRIX, u32(width << 16),
    u32(height << 16))
  local information = box("minf", box("vmhd", u32(1), ("\0"):rep(8)), box("dinf", box("dref", u32(0), u32(1), box("url ",
    u32(1)))),
    samples)
  return box("moov", head, box("trak", track, box("mdia", box("mdhd", u32(0), u32(0), u32(0), u32(24000), u32(duration),
    u16(0x55c4),
    u16(0)), box("hdlr", u32(0), u32(0), "vide", ("\0"):rep(12), "sim\0"), information)))
end

--- One colour for so many seconds, at `rate` pictures a second (default 24).
function media.mp4(width, height, seconds, colour, rate)
  rate = rate or 24
  width, height = math.max(16, math.min(width, 2048)) // 2 * 2, math.max(16, math.min(height, 2048)) // 2 * 2
  local columns, rows = (width + 15) // 16, (height + 15) // 16
  local count = math.max(1, math.floor(seconds * rate + 0.5))
  local samples, sizes = { first_picture(columns, rows, colour) }, {}
  for i = 2, count do samples[i] = same_picture(i - 1, columns * rows) end
  for i, sample in ipairs(samples) do
    samples[i] = u32(#sample) .. sample
    sizes[i] = #samples[i]
  end
  local entry = sample_entry(width, height, sequence_set(columns, rows, width, height), picture_set())
  local brand = box("ftyp", "isom", u32(512), "isomiso2avc1mp41")
  local duration = count * (24000 // rate)
  local function build(offset) return movie(width, height, duration, sample_table(entry, sizes, rate, offset)) end
  local offset = #brand + #build(0) + 8
  return brand .. build(offset) .. box("mdat", table.concat(samples))
end

-- Files of jobs ------------------------------------------------------------------------------------------------------------

-- Silence: one channel of 8000 samples a second, a byte each.
function media.wav(seconds)
  local samples = ("\128"):rep(math.ceil(8000 * seconds))
  local head = "WAVEfmt " .. string.pack("<I4I2I2I4I4I2I2", 16, 1, 1, 8000, 8000, 1, 8) .. "data" .. string.pack("<I4", #samples)
  return "RIFF" .. string.pack("<I4", #head + #samples) .. head .. samples
end

-- A scene with nothing in it.
function media.glb()
  local scene = '{"asset":{"version":"2.0"}} '
  return string.pack("<c4I4I4I4c4", "glTF", 2, 20 + #scene, #scene, "JSON") .. scene
end

local TYPES = {
  png = "image/png", jpeg = "image/jpeg", jpg = "image/jpeg", webp = "image/webp", mp4 = "video/mp4", wav = "audio/wav",
  glb = "model/gltf-binary",
}

--- The media type of a file's ending.
function media.type(format)
  return TYPES[format] or "application/octet-stream"
end

--- The file of this format; what it looks like follows from `name`.
function media.file(format, name, width, height, seconds)
  local digest = crypto.sha256(name)
  width, height = math.max(1, math.min(width or 512, 4096)), math.max(1, math.min(height or 512, 4096))
  if format == "png" then return media.png(width, height, digest:sub(1, 3), digest:sub(4, 6)) end
  if format == "webp" then return media.webp(width, height, digest:sub(1, 3)) end
  if format == "wav" then return media.wav(math.min(seconds or 2, 60)) end
  if format == "glb" then return media.glb() end
  if format == "mp4" then return media.mp4(width, height, math.min(seconds or 5, 60), digest:sub(1, 3)) end
  return media.jpeg(width, height, digest:sub(1, 3))
end

--- The media type that the bytes of a file begin like, else nil.
function media.sniff(bytes)
  if bytes:sub(1, 8) == "\137PNG\r\n\26\n" then return "image/png" end
  if bytes:sub(1, 2) == "\xff\xd8" then return "image/jpeg" end
  if bytes:sub(5, 8) == "ftyp" then return "video/mp4" end
  if bytes:sub(1, 4) == "RIFF" and bytes:sub(9, 12) == "WEBP" then return "image/webp" end
  if bytes:sub(1, 4) == "RIFF" and bytes:sub(9, 12) == "WAVE" then return "audio/wav" end
  if bytes:sub(1, 4) == "glTF" then return "model/gltf-binary" end
  return nil
end

return media
