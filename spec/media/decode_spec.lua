-- What src/media/ makes is read by somebody else's decoders: those of a browser (libpng, libjpeg, libwebp, ffmpeg).
local media = require "spec.support.media"
local studio = require "spec.support.studio"
local base64 = require("mime").b64

-- The pixels of a picture (an <img>) or of a film (a <video>, `at` seconds from its beginning), as its element says them.
local SHOW = [[
  const [url, film, at] = arguments;
  const element = document.createElement(film ? "video" : "img");
  const ready = new Promise((done, fail) => {
    element.addEventListener(film ? "loadeddata" : "load", done);
    element.addEventListener("error", () => fail(new Error(element.error ? element.error.message : "no picture")));
  });
  element.muted = true;
  element.src = url;
  await ready;
  if (film) { // a picture is there once it was on its way to the screen
    const shown = new Promise(done => element.requestVideoFrameCallback(done));
    element.currentTime = at + 0.01;
    await Promise.race([shown, new Promise(done => setTimeout(done, 3000))]);
  }
  const canvas = document.createElement("canvas");
  canvas.width = element.naturalWidth || element.videoWidth;
  canvas.height = element.naturalHeight || element.videoHeight;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(element, 0, 0);
  window.pixels = context.getImageData(0, 0, canvas.width, canvas.height).data;
  return { width: canvas.width, height: canvas.height, seconds: film ? element.duration : 0 };]]

-- Remembers the shown pixels under a name.
local KEEP = "window.kept = { ...window.kept, [arguments[0]]: window.pixels }"

-- How much the shown ones differ from those that were kept: at most, and on average, in any colour.
local COMPARE = [=[
  const kept = window.kept[arguments[0]], here = window.pixels;
  let most = 0, sum = 0;
  for (let i = 0; i < here.length; i++) {
    const difference = Math.abs(here[i] - kept[i]);
    most = Math.max(most, difference);
    sum += difference;
  }
  return { most, mean: sum / here.length, same_length: kept.length === here.length };]=]

-- How many colours there are in the shown pixels.
local COLOURS = [[
  const words = new Uint32Array(window.pixels.buffer);
  return new Set(words).size;]]

local LINES = { "DRY RUN", "fal/fal-ai/flux/schnell", "640x360", "about $0.003; nothing was sent" }

studio.describe("a placeholder", function()
  local browser

  setup(function()
    browser = studio.browser()
    browser:open "data:text/html,<!doctype html><title>T</title><p>x"
  end)

  local function show(wish, at)
    local bytes = assert(media.make(wish))
    local types = { png = "image/png", jpeg = "image/jpeg", webp = "image/webp", mp4 = "video/mp4" }
    local url = ("data:%s;base64,%s"):format(types[wish.format], (base64(bytes)))
    return browser:await(SHOW, url, wish.format == "mp4", at or 0)
  end

  local function wish(format, width, height, lines, seconds)
    return { format = format, width = width, height = height, lines = lines, comment = "a comment", seconds = seconds }
  end

  for _, size in ipairs { { 640, 360 }, { 1024, 1024 }, { 1, 1 }, { 2, 2 }, { 300, 2 }, { 3, 500 }, { 33, 17 }, { 257, 129 },
    { 1080, 1920 } } do
    local width, height = size[1], size[2]
    it(("is the same picture in every format: %dx%d"):format(width, height), function()
      local shown = show(wish("png", width, height, LINES))
      assert.same({ width, height }, { shown.width, shown.height })
      assert.is_true(browser:execute(COLOURS) <= 4)
      browser:execute(KEEP, "png")
      shown = show(wish("webp", width, height, LINES))
      assert.same({ width, height }, { shown.width, shown.height })
      assert.same({ most = 0, mean = 0, same_length = true }, browser:execute(COMPARE, "png"))
      shown = show(wish("jpeg", width, height, LINES))
      assert.same({ width, height }, { shown.width, shown.height })
      local difference = browser:execute(COMPARE, "png")
      assert.is_true(difference.same_length)
      assert.is_true(difference.most < 48 and difference.mean < 2, ("%d, %.2f"):format(difference.most, difference.mean))
    end)
  end

  it("has the words in it: without them it is another picture", function()
    show(wish("png", 640, 360, LINES))
    browser:execute(KEEP, "words")
    assert.equal(4, browser:execute(COLOURS))
    show(wish("png", 640, 360))
    assert.equal(2, browser:execute(COLOURS))
    assert.is_true(browser:execute(COMPARE, "words").most > 100)
  end)

  for _, size in ipairs { { 640, 360 }, { 1280, 720 }, { 720, 1280 }, { 16, 16 }, { 18, 2000 }, { 854, 480 } } do
    local width, height = size[1], size[2]
    it(("is a film that stands still: %dx%d"):format(width, height), function()
      local scaled = width == 640 and LINES or nil -- larger pictures have larger letters than films
      show(wish("png", width, height, scaled))
      browser:execute(KEEP, "png")
      local film = wish("mp4", width, height, scaled, 2.5)
      local shown = show(film)
      assert.same({ width, height }, { shown.width, shown.height })
      assert.is_true(math.abs(shown.seconds - 2.5) < 0.05, shown.seconds)
      local difference = browser:execute(COMPARE, "png")
      assert.is_true(difference.mean < 12, ("%d, %.2f"):format(difference.most, difference.mean)) -- a player has a say in colours
      browser:execute(KEEP, "first")
      show(film, 2.4)
      assert.is_true(browser:execute(COMPARE, "first").most <= 2)
      local words = wish("mp4", width, height, { "DRY RUN" }, 1)
      show(words)
      if width > 60 then assert.is_true(browser:execute(COMPARE, "first").most > 100) end
    end)
  end

  it("is of 4096 pixels a side at most, in every format", function()
    for _, format in ipairs { "png", "jpeg", "webp", "mp4" } do
      local shown = show(wish(format, 9999, 4096, LINES, 0))
      assert.same({ 4096, 4096 }, { shown.width, shown.height })
    end
  end)

  it("is a tone of the length that was asked for", function()
    local url = "data:audio/wav;base64," .. base64((media.make { format = "wav", seconds = 1.25, comment = "a comment" }))
    local seconds = browser:await([[
      const bytes = await (await fetch(arguments[0])).arrayBuffer();
      const sound = await new OfflineAudioContext(1, 8000, 8000).decodeAudioData(bytes);
      const loudest = sound.getChannelData(0).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      return loudest > 0.01 && loudest < 0.2 ? sound.duration : -1;]], url)
    assert.equal(1.25, seconds)
  end)
end)
