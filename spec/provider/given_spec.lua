-- What a client says twice, and the names under which it says it: the same with every vendor.
-- A case is data: add a case, not code.
local contract = require "spec.support.contract"
local offline = require "author.offline"

local A, B, PNG = "https://example.com/a.png", "https://example.com/b.png", "data:image/png;base64,iVBORw0KGgo="
local V, W = "https://example.com/v.mp4", "https://example.com/w.mp4"
local IMAGE_TO_IMAGE = "fal-ai/flux/dev/image-to-image"
local LONGER = { "5s", 9 }

local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do list[#list + 1] = word end
  return list
end

-- A copy of a request with some of its fields set: { ["parameters.duration"] = 5 }.
local function with(request, fields)
  local made = { parameters = {} }
  for name, value in pairs(request) do made[name] = value end
  for name, value in pairs(request.parameters or {}) do made.parameters[name] = value end
  for path, value in pairs(fields) do
    local inner = path:match("^parameters%.(.+)$")
    if inner then made.parameters[inner] = value else made[path] = value end
  end
  return made
end

local function fields_of(list)
  local fields = {}
  for _, item in ipairs(list or {}) do fields[item.field] = true end
  return fields
end

local providers = {}

local function submit(id, request)
  providers[id] = providers[id] or contract.load(id)
  local answer = offline.submit(providers[id], request)
  answer.refused = fields_of(answer.refusal and (answer.refusal.field and { answer.refusal } or answer.refusal))
  answer.warned = fields_of(answer.warnings)
  return answer
end

local function complaint(answer) return answer.invalid and answer.invalid.field end

-- Two places for one thing, the one in use first: id, the rest of the request, the places, two values, what the host says of the
-- second ("refused" or "warned"). Equal values in both are sent without a word.
local TWICE = {
  { "fal", {}, "prompt parameters.prompt", { "a", "b" }, "refused" },
  { "fal", { prompt = "p" }, "parameters.samples parameters.num_images", { 1, 2 }, "refused" },
  { "fal", { prompt = "p", mode = "sdxl" }, "parameters.steps parameters.num_inference_steps", { 10, 20 }, "refused" },
  { "fal", { prompt = "p" }, "parameters.guidance_scale parameters.cfg_scale", { 2, 3 }, "warned" },
  { "fal", { prompt = "p", model = IMAGE_TO_IMAGE }, "parameters.init_image parameters.image", { A, B }, "refused" },
  { "fal", { prompt = "p", model = IMAGE_TO_IMAGE }, "parameters.image parameters.image_url", { A, B }, "refused" },
  { "fal", { prompt = "p", mode = "sdxl" }, "parameters.negative_prompt negative_prompt", { "x", "y" }, "warned" },
  { "fal", { prompt = "p" }, "parameters.output_format parameters.format", { "png", "jpeg" }, "warned" },
  { "fal", { prompt = "p" }, "webhook parameters.fal_webhook", { A, B }, "warned" },
  { "fal", { prompt = "p" }, "priority x-fal-queue-priority", { "low", "normal" }, "warned" },
  { "stability", {}, "prompt parameters.prompt", { "a", "b" }, "refused" },
  { "stability", { prompt = "p" }, "parameters.samples parameters.num_images", { 1, 2 }, "refused" },
  { "stability", { prompt = "p" }, "parameters.samples n", { 1, 2 }, "refused" },
  { "stability", { prompt = "p" }, "aspect_ratio parameters.aspect_ratio", { "1:1", "16:9" }, "refused" },
  { "stability", { prompt = "p", model = "ultra" }, "negative_prompt parameters.negative_prompt", { "x", "y" }, "warned" },
  { "stability", { prompt = "p", model = "sd3.5-medium" }, "parameters.cfg_scale parameters.guidance_scale", { 4, 5 }, "warned" },
  { "stability", { prompt = "p" }, "mode parameters.mode", { "text-to-image", "image-to-image" }, "refused" },
  { "luma", {}, "prompt parameters.prompt", { "aaa", "bbb" }, "refused" },
  { "luma", {}, "prompts parameters.multi_prompt", { { "aaa" }, { "bbb" } }, "refused" },
  { "luma", { prompt = "aaa" }, "duration_seconds parameters.duration", LONGER, "refused" },
  { "luma", { prompt = "aaa" }, "duration_seconds duration", LONGER, "refused" },
  { "luma", { prompt = "aaa" }, "parameters.duration_seconds parameters.duration", LONGER, "refused" },
  { "luma", { prompt = "aaa" }, "aspect_ratio parameters.aspect_ratio", { "1:1", "16:9" }, "refused" },
  { "luma", { prompt = "aaa" }, "parameters.resolution resolution", { "720p", "1080p" }, "refused" },
  { "luma", { prompt = "aaa", model = "generations/video/reframe", aspect_ratio = "1:1" },
    "parameters.video parameters.init_video", { V, W }, "refused" },
  { "luma", { prompt = "aaa", model = "photon-1" }, "parameters.output_format parameters.format", { "jpg", "png" }, "warned" },
  { "luma", { prompt = "aaa" }, "parameters.callback_url parameters.webhook", { A, B }, "warned" },
  { "luma", { prompt = "aaa" }, "callback_url webhook", { A, B }, "warned" },
  { "pika", {}, "prompt parameters.prompt", { "a", "b" }, "refused" },
  { "pika", {}, "prompt parameters.promptText", { "a", "b" }, "refused" },
  { "pika", { route = "direct" }, "prompt parameters.promptText", { "a", "b" }, "refused" },
  { "pika", { prompt = "p" }, "duration_seconds parameters.duration", { 5, 10 }, "refused" },
  { "pika", { prompt = "p" }, "parameters.resolution resolution", { "720p", "1080p" }, "refused" },
  { "pika", { prompt = "p" }, "parameters.negative_prompt parameters.negativePrompt", { "x", "y" }, "warned" },
  { "pika", { prompt = "p" }, "parameters.init_image parameters.image_url", { A, B }, "refused" },
  { "pika", { prompt = "p" }, "parameters.init_image image", { A, B }, "refused" },
  { "pika", { prompt = "p", parameters = { image = A } }, "parameters.video parameters.video_url", { V, W }, "refused" },
  { "runway", {}, "prompt parameters.prompt", { "a", "b" }, "refused" },
  { "runway", {}, "prompt parameters.promptText", { "a", "b" }, "refused" },
  { "runway", {}, "prompt promptText", { "a", "b" }, "refused" },
  { "runway", {}, "parameters.prompts parameters.multi_prompt", { { "a" }, { "b" } }, "refused" },
  { "runway", { prompt = "p" }, "duration_seconds parameters.duration", { 5, 8 }, "refused" },
  { "runway", { prompt = "p" }, "aspect_ratio parameters.aspect_ratio", { "16:9", "9:16" }, "refused" },
  { "runway", { prompt = "p", model = "veo3.1" }, "parameters.negativePrompt parameters.negative_prompt", { "x", "y" },
    "warned" },
  { "runway", { prompt = "p", model = "aleph2" }, "parameters.video parameters.videoUri", { V, W }, "refused" },
  { "runway", { prompt = "p", model = "gpt_image_2", parameters = { ratio = "1024:1024" } },
    "parameters.samples parameters.outputCount", { 1, 2 }, "refused" },
}

describe("what is said twice", function()
  for _, case in ipairs(TWICE) do
    local id, request, values, outcome = case[1], case[2], case[4], case[5]
    local first, second = table.unpack(words(case[3]))

    it(("is %s by its path: %s, %s beside %s"):format(outcome, id, second, first), function()
      local answer = submit(id, with(request, { [first] = values[1], [second] = values[2] }))
      assert.is_nil(complaint(answer))
      assert.is_true(answer[outcome][second])
      assert.equal(outcome == "refused", answer.upstream == nil)
    end)

    it(("is no matter when it is the same: %s, %s beside %s"):format(id, second, first), function()
      local answer = submit(id, with(request, { [first] = values[1], [second] = values[1] }))
      assert.is_nil(complaint(answer))
      assert.same({}, answer.refused)
      assert.is_nil(answer.warned[second])
      assert.is_truthy(answer.upstream)
      local once = submit(id, with(request, { [first] = values[1] })).upstream
      assert.same({ once.json, once.form, once.url }, { answer.upstream.json, answer.upstream.form, answer.upstream.url })
    end)
  end
end)

-- Sizes may be said in several ways that are no names of one another: id, request, the path that is refused, or nil.
local SIZES = {
  { "runway", { parameters = { ratio = "1280:720", width = 720, height = 1280 } }, "parameters.width" },
  { "runway", { parameters = { ratio = "1280:720", width = 1280, height = 720 } } },
  { "runway", { parameters = { ratio = "1280:720", resolution = "1080p" } }, "parameters.ratio" },
  { "runway", { aspect_ratio = "9:16", parameters = { ratio = "1280:720" } }, "parameters.ratio" },
  { "runway", { aspect_ratio = "16:9", parameters = { ratio = "1280:720", resolution = "720p" } } },
  { "runway", { aspect_ratio = "1:1", parameters = { width = 1280, height = 720 } }, "parameters.width" },
  { "runway", { parameters = { width = 1280, height = 720, resolution = "1080p" } }, "parameters.width" },
  { "runway", { parameters = { width = 1280, height = 720, resolution = "720x1280" } }, "parameters.width" },
  { "runway", { model = "seedance2", aspect_ratio = "1:1", parameters = { ratio = "1280:720" } }, "parameters.ratio" },
  { "runway", { model = "seedance2", aspect_ratio = "16:9", parameters = { ratio = "1280:720" } } },
  { "runway", { model = "seedance2", parameters = { ratio = "1280:720", resolution = "1080p" } }, "parameters.ratio" },
  { "runway", { model = "seedance2", aspect_ratio = "9:16", parameters = { width = 1280, height = 720 } }, "parameters.width" },
  { "runway", { model = "aleph2", aspect_ratio = "1:1", parameters = { ratio = "1280:720", video = V } }, "parameters.ratio" },
  { "runway", { model = "aleph2", aspect_ratio = "1:1", parameters = { targetAspectRatio = "16:9", video = V } },
    "parameters.targetAspectRatio" },
  { "pika", { aspect_ratio = "1:1", parameters = { aspectRatio = 1.5 } }, "parameters.aspectRatio" },
  { "pika", { aspect_ratio = "1:1", parameters = { aspectRatio = 1 } } },
  { "pika", { route = "direct", aspect_ratio = "16:9", parameters = { aspectRatio = 1.5 } }, "parameters.aspectRatio" },
  { "luma", { model = "ray-3.2", duration_seconds = 5, parameters = { video = { duration = "10s" } } }, "duration_seconds" },
  { "luma", { model = "ray-3.2", parameters = { duration = 10, video = { duration = "10s" } } } },
  { "luma", { model = "ray-3.2", parameters = { resolution = "720p", video = { resolution = "1080p" } } },
    "parameters.resolution" },
  { "luma", { model = "ray-3.2", parameters = { loop = true, video = { loop = false } } }, "parameters.loop" },
  { "luma", { model = "generations/video/reframe", aspect_ratio = "1:1",
    parameters = { video = V, media = { url = W } } }, "parameters.video" },
  { "luma", { model = "generations/video/reframe", aspect_ratio = "1:1",
    parameters = { video = V, generation_type = "modify_video" } }, "parameters.generation_type" },
  { "runway", { model = "act_two", parameters = { character = { type = "image", uri = A }, image = B, reference = V } },
    "parameters.image" },
  { "runway", { model = "act_two", parameters = { image = A, video = W, reference = V } }, "parameters.video" },
  { "runway", { model = "act_two", parameters = { image = A, storyboard = { B }, reference = V } }, "parameters.storyboard" },
  { "runway", { model = "act_two", parameters = { image = A, reference = V } } },
}

-- What decides, and has no place with this model or operation: id, request, the path that is refused.
for _, case in ipairs {
  { "runway", { model = "gen4.5", parameters = { image = A, imageUri = B } }, "parameters.imageUri" },
  { "runway", { model = "gen4.5", parameters = { image = A, referenceImages = { { uri = B } } } }, "parameters.referenceImages" },
  { "runway", { model = "gen4_image", parameters = { promptImage = A } }, "parameters.promptImage" },
  { "runway", { model = "image_upscale", parameters = { image = A, promptImage = B } }, "parameters.promptImage" },
  { "luma", { model = "photon-1", parameters = { video = V } }, "parameters.video" },
  { "luma", { model = "uni-1", init_video = V }, "init_video" },
  { "luma", { model = "generations/x/upscale", parameters = { video = V } }, "parameters.video" },
  { "luma", { model = "generations/x/audio", parameters = { model = "ray-2" } }, "parameters.model" },
  { "luma", { model = "ray-2", parameters = { generation_id = "x" } }, "parameters.generation_id" },
  { "luma", { model = "generations/x/audio", parameters = { generation_id = "y" } }, "parameters.generation_id" },
} do SIZES[#SIZES + 1] = case end

describe("what decides and is said in two ways", function()
  for index, case in ipairs(SIZES) do
    it(("is %s at %s, case %d"):format(case[3] and "refused" or "taken when it agrees", case[1], index), function()
      local answer = submit(case[1], with({ prompt = "ppp" }, case[2]))
      assert.is_nil(complaint(answer))
      if case[3] then
        assert.is_true(answer.refused[case[3]])
      else
        assert.same({}, answer.refused)
        assert.is_truthy(answer.upstream)
      end
    end)
  end
end)

-- A value that something is wrong with, under each name that a client may use: id, request, the path that must be named.
local NAMED = {
  { "luma", { negative_prompt = 5 }, "negative_prompt" },
  { "runway", { negative_prompt = 5 }, "negative_prompt" },
  { "pika", { negative_prompt = 5 }, "negative_prompt" },
  { "pika", { parameters = { negativePrompt = 5 } }, "parameters.negativePrompt" },
  { "luma", { samples = 2 }, "samples" },
  { "luma", { resolution = "8k" }, "resolution" },
  { "luma", { duration = 6 }, "duration" },
  { "luma", { parameters = { duration = "6s" } }, "parameters.duration" },
  { "luma", { parameters = { prompt = "" } }, "parameters.prompt" },
  { "luma", { prompt = 7 }, "prompt" },
  { "luma", { reference_frames = { "not a file" , A, B, V } }, "reference_frames[3]" },
  { "luma", { style = "noir" }, "style" },
  { "luma", { parameters = { model = "ray-9" } }, "parameters.model" },
  { "runway", { parameters = { model = "gen9" } }, "parameters.model" },
  { "runway", { multi_prompt = { "x", { prompt = "y", weight = 2 } } }, "multi_prompt[1].weight" },
  { "runway", { prompts = { "x", { prompt = "y", weight = 2 } } }, "prompts[1].weight" },
  { "runway", { parameters = { multi_prompt = { "x", { prompt = "y", weight = 2 } } } }, "parameters.multi_prompt[1].weight" },
  { "runway", { parameters = { multi_prompt = { "x", 5 } } }, "parameters.multi_prompt[1]" },
  { "runway", { parameters = { promptText = ("x"):rep(1001) } }, "parameters.promptText" },
  { "runway", { duration = 60 }, "duration" },
  { "runway", { reference_frames = { "ftp://example.com/a" } }, "reference_frames[0]" },
  { "runway", { storyboard = { A }, reference_frames = { "ftp://example.com/a" } }, "reference_frames[0]" },
  { "runway", { seed = -1 }, "seed" },
  { "runway", { model = "aleph2", parameters = { init_video = "ftp://example.com/a" } }, "parameters.init_video" },
  { "runway", { model = "gen4.5", parameters = { videoUri = V } }, "parameters.videoUri" },
  { "pika", { parameters = { image_urls = { A } } }, "parameters.image_urls" },
  { "pika", { storyboard = { A } }, "storyboard" },
  { "pika", { model = "generate/2.2/i2v", parameters = { image = A } }, "parameters.image" },
  { "pika", { model = "generate/2.2/i2v", image = A }, "image" },
  { "pika", { model = "v2.2/text-to-video", parameters = { image_url = A } }, "parameters.image_url" },
  { "pika", { route = "direct", parameters = { ["x-fal-queue-priority"] = "low" } }, "parameters.x-fal-queue-priority" },
  { "fal", { parameters = { num_images = 9 } }, "parameters.num_images" },
  { "fal", { parameters = { num_inference_steps = 90 } }, "parameters.num_inference_steps" },
  { "fal", { parameters = { image_url = A } }, "parameters.image_url" },
  { "fal", { model = "fal-ai/flux/dev", negative_prompt = "x" }, "negative_prompt" },
  { "fal", { route = "run", ["x-fal-queue-priority"] = "low" }, "x-fal-queue-priority" },
  { "stability", { num_images = 3 }, "num_images" },
  { "runway", { model = "ruby", prompt = false, multi_prompt = { "x" }, video = V }, "multi_prompt" },
  { "luma", { model = "generations/x/upscale", prompt = false, parameters = { prompts = { "x" } } }, "parameters.prompts" },
}

describe("what is wrong with a value", function()
  for index, case in ipairs(NAMED) do
    it(("names it as the client did: %s at %s, case %d"):format(case[3], case[1], index), function()
      local request = with({ prompt = "ppp" }, case[2])
      if case[2].parameters and (case[2].parameters.prompt or case[2].parameters.promptText) then request.prompt = nil end
      request.prompt = request.prompt or nil
      local answer = submit(case[1], request)
      local named = answer.refused
      if complaint(answer) then named[complaint(answer)] = true end
      for field in pairs(answer.warned) do named[field] = true end
      named.route = nil -- the direct route of Pika always warns
      assert.is_true(named[case[3]])
      for field in pairs(named) do assert.equal(case[3], field) end
    end)
  end
end)

describe("a list of prompts", function()
  for _, id in ipairs { "luma", "runway", "pika" } do
    for _, name in ipairs { "prompts", "multi_prompt" } do
      it(("means the same among the parameters: %s, %s"):format(id, name), function()
        local list = { "aaa", { prompt = "bbb" } }
        local top = submit(id, { prompt = "first", [name] = list }).upstream.json
        local inner = submit(id, { prompt = "first", parameters = { [name] = list } })
        assert.same(top, inner.upstream.json)
        assert.same({}, inner.warned)
        assert.equal("first\naaa\nbbb", top.prompt or top.promptText)
      end)
    end
  end
end)

describe("a data URI", function()
  it("is compared like any other value", function()
    local answer = submit("pika", { prompt = "p", route = "direct", image = PNG, parameters = { init_image = PNG } })
    assert.same({}, answer.refused)
    assert.is_truthy(answer.upstream)
  end)
end)
