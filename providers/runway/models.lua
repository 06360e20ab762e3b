-- models.lua - what each model that Runway sells takes, endpoint by endpoint: data of providers/video_runway.lua.
--
-- From the types of the vendor's own client and its documentation, checked 2026-11-23. To add a model, add a row,
-- and what it costs to prices.lua.

local check = require "check"
local names = require "names"

local runway_models = {}

local words = names.words

-- The operations in the order in which a model's own is chosen, and the model of those that have only one.
local OPERATIONS = {
  "text_to_video", "image_to_video", "video_to_video", "text_to_image", "character_performance", "image_upscale", "video_upscale",
  "video_to_hdr", "text_to_speech", "sound_effect", "speech_to_speech", "voice_dubbing", "voice_isolation",
}
local ONLY_MODEL = {
  character_performance = "act_two", image_upscale = "magnific_precision_upscaler_v2", video_to_hdr = "ruby",
  speech_to_speech = "eleven_multilingual_sts_v2", voice_dubbing = "eleven_voice_dubbing",
  voice_isolation = "eleven_voice_isolation",
}

-- What the vendor calls `ratio` is a size in pixels: { ratio, aspect ratio, resolution }. A size without an aspect ratio here
-- is one that no common name means; it is reached by parameters.ratio.
local WIDE_OR_TALL = { { "1280:720", "16:9", "720p" }, { "720:1280", "9:16", "720p" } }
local GEN4_VIDEO = {
  { "1280:720", "16:9", "720p" }, { "720:1280", "9:16", "720p" }, { "1104:832", "4:3", "720p" }, { "832:1104", "3:4", "720p" },
  { "960:960", "1:1", "720p" }, { "1584:672", "21:9", "720p" },
}
local VEO = {
  { "1280:720", "16:9", "720p" }, { "720:1280", "9:16", "720p" },
  { "1920:1080", "16:9", "1080p" }, { "1080:1920", "9:16", "1080p" },
}
local GEN4_IMAGE = {
  { "1280:720", "16:9", "720p" }, { "720:1280", "9:16", "720p" }, { "720:720", "1:1", "720p" }, { "960:720", "4:3", "720p" },
  { "720:960", "3:4", "720p" }, { "1680:720", "21:9", "720p" }, { "1920:1080", "16:9", "1080p" },
  { "1080:1920", "9:16", "1080p" }, { "1080:1080", "1:1", "1080p" }, { "1440:1080", "4:3", "1080p" },
  { "1080:1440", "3:4", "1080p" }, { "1024:1024" }, { "1360:768" }, { "1168:880" }, { "1808:768" }, { "2112:912" },
}
local ALEPH_ASPECTS = { "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "21:9" }

local TWO_TO_TEN = { 2, 3, 4, 5, 6, 7, 8, 9, 10 }
local VEO_SECONDS = { 4, 6, 8 }

-- What each model takes. `operations` holds the models' endpoints, with what differs there. `prompt` is "required", "optional" or
-- nil (takes none); `ratio` is "table" (see sizes), "words" (16:9) or "free" (the vendor's list is long: parameters.ratio only).
local MODELS = {
  ["gen4.5"] = {
    prompt = "required", prompt_max = 1000, seconds = TWO_TO_TEN, needs_duration = true, ratio = "table",
    fields = words "contentModeration outputFormat proresProfile seed",
    operations = { text_to_video = { sizes = WIDE_OR_TALL }, image_to_video = { sizes = GEN4_VIDEO } },
  },
  gen4_turbo = {
    prompt = "optional", prompt_max = 1000, seconds = TWO_TO_TEN, ratio = "table", sizes = GEN4_VIDEO,
    fields = words "contentModeration seed", operations = { image_to_video = {} },
  },
  ["veo3.1"] = {
    prompt_max = 1000, seconds = VEO_SECONDS, ratio = "table", sizes = VEO, last_frame = true,
    fields = words "audio negativePrompt seed",
    operations = { text_to_video = { prompt = "required" }, image_to_video = { prompt = "optional" } },
  },
  ["veo3.1_fast"] = {
    prompt_max = 1000, seconds = VEO_SECONDS, ratio = "table", sizes = VEO, last_frame = true,
    fields = words "audio negativePrompt seed",
    operations = { text_to_video = { prompt = "required" }, image_to_video = { prompt = "optional" } },
  },
  aleph2 = {
    prompt = "optional", aspect_key = "targetAspectRatio", aspects = ALEPH_ASPECTS,
    fields = words "contentModeration keyframes outputFormat proresProfile ratio seed targetAspectRatio",
    operations = { video_to_video = { video_key = "videoUri" } },
  },
  act_two = {
    ratio = "table", sizes = GEN4_VIDEO, ratio_optional = true,
    fields = words "bodyControl character contentModeration expressionIntensity reference seed",
    operations = { character_performance = {} },
  },
  gen4_image = {
    prompt = "required", prompt_max = 1000, ratio = "table", sizes = GEN4_IMAGE, max_references = 3,
    fields = words "contentModeration referenceImages seed", operations = { text_to_image = {} },
  },
  gen4_image_turbo = {
    prompt = "required", prompt_max = 1000, ratio = "table", sizes = GEN4_IMAGE, max_references = 3, min_references = 1,
    fields = words "contentModeration referenceImages seed", operations = { text_to_image = {} },
  },
  magnific_precision_upscaler_v2 = {
    fields = words "flavor imageUri scaleFactor sharpen smartGrain ultraDetail", operations = { image_upscale = {} },
  },
  magnific_video_upscaler_creative = {
    fields = words "creativity flavor fpsBoost resolution sharpen smartGrain",
    operations = { video_upscale = { video_key = "videoUri" } },
  },
  enhance_frame_rate = { fields = words "targetFramerate", operations = { video_upscale = { video_key = "videoUri" } } },
  ruby = { fields = words "outputFormat proresProfile", operations = { video_to_hdr = { video_key = "videoUri" } } },
  seed_audio = {
    prompt = "required",
    fields = words "loudnessRate outputFormat pitchRate referenceAudios sampleRate speechRate voice",
    operations = { text_to_speech = {}, sound_effect = {} },
  },
  eleven_multilingual_v2 = { prompt = "required", fields = words "voice", operations = { text_to_speech = {} } },
  eleven_v3 = {
    prompt = "required",
    fields = words "voice applyTextNormalization languageCode seed similarityBoost speed stability style useSpeakerBoost",
    operations = { text_to_speech = {} },
  },
  eleven_text_to_sound_v2 = {
    prompt = "required", free_duration = true, fields = words "loop", operations = { sound_effect = {} },
  },
  eleven_multilingual_sts_v2 = {
    fields = words "media removeBackgroundNoise voice", operations = { speech_to_speech = {} },
  },
  eleven_voice_dubbing = {
    fields = words "audioUri disableVoiceCloning dropBackgroundAudio numSpeakers targetLang", operations = { voice_dubbing = {} },
  },
  eleven_voice_isolation = { fields = words "audioUri", operations = { voice_isolation = {} } },
}

-- Other makers' models: their sizes and lengths are long lists that change often, so these go through in the vendor's own words.
local function add_partner(ids, row)
  row.partner, row.free_duration, row.ratio = true, row.free_duration ~= false, row.ratio or "free"
  for _, id in ipairs(ids) do MODELS[id] = row end
end

local SEEDANCE = {
  text_to_video = { prompt = "required", fields = words "audio referenceAudio references referenceVideos seed" },
  image_to_video = { prompt = "optional", fields = words "audio referenceAudio seed", last_frame = true },
  video_to_video = {
    prompt = "optional", fields = words "audio mode referenceAudio references referenceVideos seed", video_key = "promptVideo",
  },
}
local WAN = {
  text_to_video = { fields = words "audio referenceAudio references referenceVideos" },
  image_to_video = { fields = words "audio referenceAudio referenceVideos" },
}
add_partner({ "seedance2", "seedance2_fast", "seedance2_mini", "seedance2_5" }, { auto_duration = true, operations = SEEDANCE })
add_partner({ "wan3", "wan3_prime" }, { prompt = "required", operations = WAN, last_frame = true })
add_partner({ "h3_max" }, {
  prompt = "required", ratio = "none", fields = words "promptExpansionMode resolution seed",
  operations = { text_to_video = {}, image_to_video = {} }, last_frame = true,
})
add_partner({ "hailuo3" }, {
  prompt = "required", ratio = "words", last_frame = true,
  fields = words "referenceAudio references referenceVideos resolution",
  operations = { text_to_video = {}, image_to_video = {}, video_to_video = { video_key = "promptVideo" } },
})
add_partner({ "happyhorse_1_0" }, {
  operations = {
    text_to_video = { prompt = "required", fields = {} },
    image_to_video = { prompt = "optional", ratio = "none", fields = words "resolution" },
  },
})
add_partner({ "grok_imagine_1_5" }, {
  operations = {
    text_to_video = { prompt = "required", ratio = "words", fields = words "referenceAudio references resolution" },
    image_to_video = { prompt = "optional", ratio = "none", fields = words "resolution" },
  },
})
add_partner({ "gemini_omni_flash" }, {
  fields = {},
  operations = {
    text_to_video = { prompt = "required" }, image_to_video = { prompt = "optional" },
    video_to_video = { prompt = "required", video_key = "videoUri", ratio = "none", fields = words "references" },
  },
})
add_partner({ "gemini_omni_flash_1.1" }, {
  prompt = "required", auto_duration = true, fields = words "references referenceVideos",
  operations = {
    text_to_video = {}, image_to_video = {}, video_to_video = { video_key = "videoUri", fields = words "mode references" },
  },
})
add_partner({ "gpt_image_2", "gpt_image_2_5_flare", "gpt_image_2_5_sunburst" }, {
  prompt = "required", free_duration = false, fields = words "background outputCount quality referenceImages",
  operations = { text_to_image = {} },
})
add_partner({ "gemini_2.5_flash" }, {
  prompt = "required", free_duration = false, fields = words "referenceImages", operations = { text_to_image = {} },
})
add_partner({ "gemini_image3_pro", "gemini_image3.1_flash" }, {
  prompt = "required", free_duration = false, fields = words "outputCount referenceImages", operations = { text_to_image = {} },
})
add_partner({ "muse_image" }, {
  prompt = "required", free_duration = false, fields = words "outputCount outputFormat referenceImages",
  operations = { text_to_image = {} },
})
add_partner({ "seedream5_pro", "seedream5_lite" }, {
  prompt = "required", free_duration = false, fields = words "grounding outputCount outputFormat referenceImages",
  operations = { text_to_image = {} },
})
add_partner({ "grok_imagine_image_2" }, {
  prompt = "required", free_duration = false, fields = words "edit outputCount quality referenceImages",
  operations = { text_to_image = {} },
})

-- Every name of the contract: what one model has, another refuses rather than making something else.
local CONTRACT_FIELDS = {}
for _, row in pairs(MODELS) do
  for name in pairs(row.fields or {}) do CONTRACT_FIELDS[name] = true end
  for _, own in pairs(row.operations) do
    for name in pairs(own.fields or {}) do CONTRACT_FIELDS[name] = true end
  end
end

-- What each model can do at each of its endpoints: its row, with what differs there.
local SPECS = {}
for id, row in pairs(MODELS) do
  SPECS[id] = {}
  for operation, own in pairs(row.operations) do
    local spec = check.copy(row)
    for name, value in pairs(own) do spec[name] = value end
    spec.id, spec.operation, spec.fields = id, operation, spec.fields or {}
    spec.makes_seconds = spec.seconds and names.set(spec.seconds)
    SPECS[id][operation] = spec
  end
end

runway_models.MODELS, runway_models.OPERATIONS, runway_models.ONLY_MODEL = MODELS, OPERATIONS, ONLY_MODEL
runway_models.CONTRACT_FIELDS, runway_models.SPECS = CONTRACT_FIELDS, SPECS

return runway_models
