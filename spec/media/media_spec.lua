-- Placeholder files (src/media/): the same bytes for the same wish, marked as what they are, small, never beyond their buffer.
-- That other decoders read them is decode_spec.lua's.
local media = require "spec.support.media"
local shell = require "spec.support.shell"

local FORMATS = { "png", "jpeg", "webp", "mp4", "wav", "glb" }
local LINES = { "DRY RUN", "fal/fal-ai/flux/schnell", "1024x1024", "about $0.003; nothing was sent" }
local COMMENT = "DRY RUN: nothing was sent & <nothing> paid"

local function wish(format, more)
  local made = { format = format, width = 1024, height = 1024, seconds = 5, seed = "a lighthouse", lines = LINES }
  made.comment = COMMENT
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

local function sha256(bytes)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:write(bytes)
  file:close()
  local digest = shell.output("sha256sum " .. name):match("^%x+")
  os.remove(name)
  return digest
end

local function crc32(bytes)
  local crc = 0xffffffff
  for i = 1, #bytes do
    crc = crc ~ bytes:byte(i)
    for _ = 1, 8 do crc = crc & 1 == 1 and crc >> 1 ~ 0xedb88320 or crc >> 1 end
  end
  return crc ~ 0xffffffff
end

-- PNG: { { kind, data }, ... }, every sum checked.
local function png_chunks(bytes)
  local chunks, at = {}, 9
  assert.equal("\137PNG\r\n\26\n", bytes:sub(1, 8))
  while at <= #bytes do
    local length, kind = string.unpack(">I4c4", bytes, at)
    local data = bytes:sub(at + 8, at + 7 + length)
    assert.equal(crc32(kind .. data), (string.unpack(">I4", bytes, at + 8 + length)), kind)
    chunks[#chunks + 1], at = { kind, data }, at + 12 + length
  end
  return chunks
end

-- RIFF: the chunks' kinds, and data by kind; sizes and padding checked.
local function riff_chunks(bytes)
  local kinds, data, at = {}, {}, 13
  assert.equal(#bytes - 8, (string.unpack("<I4", bytes, 5)))
  while at <= #bytes do
    local kind, length = string.unpack("<c4I4", bytes, at)
    kinds[#kinds + 1], data[kind] = kind, bytes:sub(at + 8, at + 7 + length)
    at = at + 8 + length + length % 2
  end
  assert.equal(#bytes + 1, at)
  return kinds, data
end

-- What these wishes make. PNG's bytes depend on zlib's way of compressing, those of the others on nothing.
local GOLDEN = {
  png = "2b9f066155697a15994375c82899715c631d413399d3d714cf2dcfab5bfdb91f",
  jpeg = "c962b7d8cb9de3ffa308405dd57b8508b8b64d111ab4fd4f319c7c38fc0875e5",
  webp = "a1c802a87587758bfa79416ee0f07ab51548f72985be00c56c6d6d0c87005334",
  mp4 = "a9bba3b9331d667abf72f49697c10856f8e159defa9b2fa2a26b208eee744696",
  wav = "6b3222cf1c0924d2142afa4541981d3493306166691675693af8146feaea8c5c",
  glb = "62e29ac32e109c11b2507205940cead85ffa8c5ffa7b490f087fba6e031c9c51",
}

describe("a placeholder", function()
  for _, format in ipairs(FORMATS) do
    describe("as " .. format, function()
      it("is made of the wish and nothing else", function()
        local bytes = media.make(wish(format))
        assert.equal(GOLDEN[format], sha256(bytes))
        assert.is_true(bytes == media.make(wish(format, { times = 3 })))
        assert.is_false(bytes == media.make(wish(format, { seed = "a windmill" })))
        assert.is_false(bytes == media.make(wish(format, { comment = "" })))
      end)

      it("is not made when there is no room for all of it", function()
        local size = #media.make(wish(format))
        assert.truthy(media.make(wish(format, { room = size + 4096 })))
        for _, room in ipairs { 0, 1, 7, 20, 100, size // 2, size - 1 } do
          assert.is_nil(media.make(wish(format, { room = room })), room)
        end
      end)

      it("takes any numbers", function()
        for _, number in ipairs { -2147483648, -1, 0, 1, 3, 2147483647 } do
          for _, seconds in ipairs { "nan", "inf", "-inf", -1, 0, 1e-9, 1e300 } do
            assert.truthy(media.make(wish(format, { width = number, height = 9, seconds = seconds })), number)
          end
        end
      end)

      it("takes any text", function()
        local texts = { "", "\1\2\27", "\xff\xfe\x80", ("x"):rep(5000), ("ä"):rep(3000), "a/b-c d", ("word "):rep(99) }
        for _, text in ipairs(texts) do
          local lines = { text, "", text, text, text, text, text, text, text, text, text, text, text, text }
          for _, side in ipairs { 5, 64, 700 } do
            local made = media.make(wish(format, { width = side, height = side, lines = lines, comment = text, seed = text }))
            assert.truthy(made, text)
          end
        end
      end)
    end)
  end

  it("is a few KB of PNG, since it goes into an answer as base64", function()
    assert.is_true(#media.make(wish "png") < 6000)
    assert.is_true(#media.make(wish("png", { width = 4096, height = 4096 })) < 40000)
    assert.is_true(#media.make(wish "webp") < 4000)
    assert.is_true(#media.make(wish "jpeg") < 64000)
    assert.is_true(#media.make(wish("mp4", { width = 1280, height = 720, seconds = 60 })) < 300000)
  end)
end)

describe("the comment of a placeholder", function()
  it("is PNG's tEXt, beyond ASCII iTXt, and stands before the picture", function()
    local chunks = png_chunks(media.make(wish "png"))
    local kinds = {}
    for i, chunk in ipairs(chunks) do kinds[i] = chunk[1] end
    assert.same({ "IHDR", "PLTE", "tEXt", "IDAT", "IEND" }, kinds)
    assert.equal("Comment\0" .. COMMENT, chunks[3][2])
    chunks = png_chunks(media.make(wish("png", { comment = "für nichts" })))
    assert.same({ "iTXt", "Comment\0\0\0\0\0für nichts" }, chunks[3])
    assert.equal("IDAT", png_chunks(media.make(wish("png", { comment = "" })))[3][1])
  end)

  it("ends with a whole character", function()
    local data = png_chunks(media.make(wish("png", { comment = "x" .. ("ä"):rep(4000) })))[3][2]
    assert.equal("Comment\0\0\0\0\0x" .. ("ä"):rep(2047), data)
  end)

  it("is JPEG's COM", function()
    local bytes = media.make(wish "jpeg")
    assert.truthy(bytes:find("\xff\xfe" .. string.pack(">I2", #COMMENT + 2) .. COMMENT, 1, true))
  end)

  it("is WebP's XMP, announced in its head", function()
    local kinds, data = riff_chunks(media.make(wish "webp"))
    assert.same({ "VP8X", "VP8L", "XMP " }, kinds)
    assert.equal(string.pack("<I4I3I3", 4, 1023, 1023), data.VP8X)
    assert.truthy(data["XMP "]:find("DRY RUN: nothing was sent &amp; &lt;nothing&gt; paid", 1, true))
    assert.same({ "VP8L" }, (riff_chunks(media.make(wish("webp", { comment = "" })))))
  end)

  it("is MP4's item of metadata", function()
    local bytes = media.make(wish "mp4")
    local item = "data" .. string.pack(">I4I4", 1, 0) .. COMMENT
    item = string.pack(">I4", #item + 4) .. item
    assert.truthy(bytes:find(string.pack(">I4", #item + 8) .. "\xa9cmt" .. item, 1, true))
  end)

  it("is WAV's ICMT", function()
    local kinds, data = riff_chunks(media.make(wish "wav"))
    assert.same({ "fmt ", "LIST", "data" }, kinds)
    assert.equal(40000, #data.data)
    assert.truthy(data.LIST:find("ICMT" .. string.pack("<I4", #COMMENT + 1) .. COMMENT .. "\0", 1, true))
  end)

  it("is in the asset of GLB", function()
    local bytes = media.make(wish "glb")
    local magic, version, size, length, kind = string.unpack("<c4I4I4I4c4", bytes)
    assert.same({ "glTF", 2, #bytes, "JSON" }, { magic, version, size, kind })
    local scene = require("cjson").decode(bytes:sub(21, 20 + length))
    assert.equal(COMMENT, scene.asset.extras.comment)
    assert.equal(scene.buffers[1].byteLength, (string.unpack("<I4", bytes, 21 + length)))
    assert.equal(0, #bytes % 4)
  end)
end)
