-- models.lua - what each model that Runway sells takes and costs, endpoint by endpoint: a row each.
--
-- From the types of the vendor's own client (4.20.1) and its documentation, checked 2026-11-30. To add a model, add a row. Beside
-- inputs and price a row may have: `sizes`, what its `ratio` means ({ ratio, aspect ratio, resolution }; a size without the other
-- two is one that no common name means), `fills`, what the vendor requires and we fill in with its default, `last_frame`, whether
-- it can aim at one, and `input_seconds`, how long the input may be that the output follows.

local fragments = require "runway.fragments"
local names = require "names"

local runway_models = {}

local f, inputs, needed, prompt = fragments, fragments.inputs, fragments.needed, fragments.prompt
local word, priced, ratio, ratio_of, seconds = f.word, f.priced, f.ratio, f.ratio_of, f.seconds

-- Credits. `silent`: without sound; `by_size`: by the size of the picture, `credits` the dearest of it; `minimum`: what the
-- shortest input costs. Dividing keeps cents exact, where multiplying by 0.01 does not.
local CREDITS_PER_USD = 100

local function price(unit, credits, more)
  local made = { unit = unit, credits = credits, usd = credits / CREDITS_PER_USD, as_of = "2026-11-23",
    source = "https://docs.dev.runwayml.com" }
  for name, value in pairs(more or {}) do made[name] = value end
  return made
end

local VEO_PRICE, VEO_FAST_PRICE = price("second", 40, { silent = 20 }), price("second", 15, { silent = 10 })
-- On top, for an outputFormat other than mp4.
local SURCHARGES = { mp4 = 0, prores = 5, png_sequence = 5, others = 20 }
local GEN45_PRICE = price("second", 12, { surcharges = SURCHARGES })

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
local SEEDANCE_SMALL = [[ 992:432 864:496 752:560 640:640 560:752 496:864 1470:630 1280:720 1112:834 960:960 834:1112 720:1280 ]]
local SEEDANCE_LARGE = SEEDANCE_SMALL .. [[ 2206:946 1920:1080 1664:1248 1440:1440 1248:1664 1080:1920 3840:1646 3840:2160
  3840:2880 3840:3840 2880:3840 2160:3840 ]]
local SEEDANCE_25 = [[ 992:432 854:480 752:560 640:640 560:752 480:854 1470:630 1280:720 1112:834 960:960 834:1112 720:1280
  2206:946 1920:1080 1664:1248 1440:1440 1248:1664 1080:1920 ]]
local WAN = [[ 832:480 720:544 624:624 544:720 480:832 1280:720 1104:832 960:960 832:1104 720:1280 1920:1080 1648:1248 1440:1440
  1248:1648 1080:1920 auto_480p auto_720p auto_1080p ]]
local HAPPYHORSE = [[ 1280:720 720:1280 960:960 1108:832 832:1108 1920:1080 1080:1920 1440:1440 1662:1248 1248:1662 ]]
local OMNI_11 = [[ 640:360 360:640 1280:720 720:1280 1920:1080 1080:1920 3840:2160 2160:3840 ]]
local GPT_IMAGE = [[ 2048:880 1920:1088 1920:1280 1920:1440 1920:1536 1920:1920 1536:1920 1440:1920 1280:1920 1088:1920 2912:1248
  2560:1440 2560:1712 2560:1920 2560:2048 2560:2560 2048:2560 1920:2560 1712:2560 1440:2560 3840:1648 3840:2160 3504:2336
  3264:2448 3200:2560 2880:2880 2560:3200 2448:3264 2336:3504 2160:3840 auto ]]
local GEMINI = [[ 1344:768 768:1344 1024:1024 1184:864 864:1184 1536:672 832:1248 1248:832 896:1152 1152:896 ]]
local GEMINI_LARGE = [[ 2048:2048 1696:2528 2528:1696 1792:2400 2400:1792 1856:2304 2304:1856 1536:2752 2752:1536 3168:1344
  4096:4096 3392:5056 5056:3392 3584:4800 4800:3584 3712:4608 4608:3712 3072:5504 5504:3072 6336:2688 ]]
local GEMINI_31 = [[ 512:512 416:624 624:416 432:592 592:432 448:576 576:448 384:672 672:384 768:336 256:1024 1024:256 176:1408
  1408:176 512:2048 2048:512 352:2816 2816:352 1024:4096 4096:1024 704:5632 5632:704 2048:8192 8192:2048 1408:11264
  11264:1408 ]]
local MUSE = [[ 2352:1008 2016:1152 1920:1280 1792:1344 1600:1600 1344:1792 1280:1920 1152:2016 auto ]]
local SEEDREAM_PRO = [[ 1024:1024 1184:896 896:1184 1376:768 768:1376 1296:864 864:1296 2048:2048 2304:1728 1728:2304 2720:1530
  1530:2720 2496:1664 1664:2496 auto_1k auto_2k ]]
local SEEDREAM_LITE = [[ 2048:2048 2304:1728 1728:2304 2848:1600 1600:2848 2496:1664 1664:2496 3136:1344 3072:3072 3456:2592
  2592:3456 4096:2304 2304:4096 3744:2496 2496:3744 4704:2016 ]]
local GROK_IMAGE = [[ 1024:1024 1280:720 720:1280 1152:864 864:1152 1248:832 832:1248 1248:576 576:1248 1280:576 576:1280 1408:704
  704:1408 2048:2048 2816:1584 1584:2816 2368:1776 1776:2368 2496:1664 1664:2496 2912:1344 1344:2912 3200:1440 1440:3200
  2912:1456 1456:2912 auto_1k auto_2k ]]

local MODELS = {}

-- A row for each of these models at this endpoint. `makes`: what comes out.
local function add(endpoint, ids, makes, label, takes, more)
  for id in string.gmatch(ids, "%S+") do
    local row = { id = id, operation = endpoint, makes = makes, kind = makes == "image" and "image" or "video",
      mode = makes == "image" and "image" or "video", label = label, inputs = inputs(takes) }
    for name, value in pairs(more or {}) do row[name] = value end
    MODELS[endpoint .. "/" .. id] = row
  end
end

local GEN45_SECONDS, GEN4_SECONDS = seconds(2, 10), seconds(2, 10)
GEN45_SECONDS.default = 8
add("text_to_video", "gen4.5", "video", "Gen-4.5", {
  promptText = needed(prompt(1000)), duration = GEN45_SECONDS, ratio = ratio_of(WIDE_OR_TALL, "1280:720"), seed = f.SEED,
  contentModeration = f.MODERATION, outputFormat = f.FORMAT, proresProfile = f.PRORES,
}, { price = GEN45_PRICE, sizes = WIDE_OR_TALL, fills = { "duration", "ratio" } })
add("image_to_video", "gen4.5", "video", "Gen-4.5", {
  promptText = needed(prompt(1000)), promptImage = needed(f.IMAGE), duration = GEN45_SECONDS, seed = f.SEED,
  ratio = ratio_of(GEN4_VIDEO, "1280:720"), contentModeration = f.MODERATION, outputFormat = f.FORMAT, proresProfile = f.PRORES,
}, { price = GEN45_PRICE, sizes = GEN4_VIDEO, fills = { "duration", "ratio" } })
add("image_to_video", "gen4_turbo", "video", "Gen-4 Turbo", {
  promptText = prompt(1000), promptImage = needed(f.IMAGE), duration = GEN4_SECONDS, ratio = ratio_of(GEN4_VIDEO, "1280:720"),
  contentModeration = f.MODERATION, seed = f.SEED,
}, { price = price("second", 5), sizes = GEN4_VIDEO, fills = { "ratio" } })
for id, of_model in pairs { ["veo3.1"] = VEO_PRICE, ["veo3.1_fast"] = VEO_FAST_PRICE } do
  local label = id == "veo3.1" and "Veo 3.1" or "Veo 3.1 Fast"
  local takes = { duration = f.VEO_SECONDS, ratio = ratio_of(VEO, "1280:720"), audio = f.AUDIO, negativePrompt = f.TEXT,
    seed = f.SEED }
  takes.promptText = needed(prompt(1000))
  add("text_to_video", id, "video", label, takes, { price = of_model, sizes = VEO, fills = { "ratio" } })
  takes.promptText, takes.promptImage = prompt(1000), needed(f.IMAGE)
  add("image_to_video", id, "video", label, takes, { price = of_model, sizes = VEO, fills = { "ratio" }, last_frame = true })
end
add("video_to_video", "aleph2", "video", "Aleph 2", {
  promptText = prompt(), videoUri = needed(f.VIDEO_URI), keyframes = f.LIST, ratio = f.TEXT, seed = f.SEED,
  contentModeration = f.MODERATION, outputFormat = priced("mp4 prores png_sequence sdr_rec709_10bit", true),
  proresProfile = f.PRORES, targetAspectRatio = word "16:9 4:3 3:2 1:1 2:3 3:4 9:16 21:9",
}, { price = price("second", 28, { minimum = 56, surcharges = SURCHARGES }), aspect_key = "targetAspectRatio",
  input_seconds = { 2, 30 } })
add("character_performance", "act_two", "video", "Act-Two", {
  character = needed(f.OBJECT), reference = needed(f.OBJECT), bodyControl = f.FLAG, contentModeration = f.MODERATION,
  expressionIntensity = { type = "integer", examples = { 1, 2, 3, 4, 5 } }, ratio = ratio_of(GEN4_VIDEO), seed = f.SEED,
}, { price = price("second", 5, { minimum = 15 }), sizes = GEN4_VIDEO, input_seconds = { 3 } })

-- Pictures.
local REFERENCES, REFERENCES_NEEDED = f.files("image", nil, 3), f.files("image", 1, 3)
add("text_to_image", "gen4_image", "image", "Gen-4 Image", {
  promptText = needed(prompt(1000)), ratio = ratio_of(GEN4_IMAGE, "1280:720"), referenceImages = REFERENCES, seed = f.SEED,
  contentModeration = f.MODERATION,
}, { price = price("image", 8, { by_size = { ["720p"] = 5, ["1080p"] = 8 } }), sizes = GEN4_IMAGE, fills = { "ratio" } })
add("text_to_image", "gen4_image_turbo", "image", "Gen-4 Image Turbo", {
  promptText = needed(prompt(1000)), ratio = ratio_of(GEN4_IMAGE, "1280:720"), referenceImages = REFERENCES_NEEDED,
  contentModeration = f.MODERATION, seed = f.SEED,
}, { price = price("image", 2), sizes = GEN4_IMAGE, fills = { "ratio" } })
local GEMINI_COUNT = { type = "integer", enum = { 1, 4 }, x_costs = true }
add("text_to_image", "gemini_2.5_flash", "image", "Gemini 2.5 Flash Image", {
  promptText = needed(prompt()), ratio = needed(ratio(GEMINI)), referenceImages = f.IMAGES,
}, { price = price("image", 5) })
add("text_to_image", "gemini_image3_pro", "image", "Gemini 3 Pro Image", {
  promptText = needed(prompt()), ratio = needed(ratio(GEMINI .. GEMINI_LARGE)), outputCount = GEMINI_COUNT,
  referenceImages = f.IMAGES,
}, { price = price("image", 40, { by_size = { up_to_2k = 20, ["4k"] = 40 } }) })
add("text_to_image", "gemini_image3.1_flash", "image", "Gemini 3.1 Flash Image", {
  promptText = needed(prompt()), ratio = needed(ratio(GEMINI_31 .. GEMINI .. GEMINI_LARGE)), outputCount = GEMINI_COUNT,
  referenceImages = f.IMAGES,
})
add("text_to_image", "gpt_image_2", "image", "GPT Image 2", {
  promptText = needed(prompt(32000)), ratio = needed(ratio(GPT_IMAGE)), background = word "transparent opaque auto",
  outputCount = f.count(10), quality = priced "low medium high auto", referenceImages = f.IMAGES,
})
add("text_to_image", "gpt_image_2_5_flare gpt_image_2_5_sunburst", "image", "GPT Image 2.5", {
  promptText = needed(prompt()), ratio = needed(ratio(GPT_IMAGE)), background = word "transparent opaque auto",
  outputCount = f.count(10), quality = priced "low medium high xhigh max", referenceImages = f.IMAGES,
})
add("text_to_image", "muse_image", "image", "Muse Image", {
  promptText = needed(prompt()), ratio = needed(ratio(MUSE)), outputCount = f.count(), outputFormat = word "png webp jpeg",
  referenceImages = f.IMAGES,
}, { price = price("image", 1, { as_of = "2026-11-30", source = "https://www.npmjs.com/package/@runwayml/sdk/v/4.20.1" }) })
for id, sizes in pairs { seedream5_pro = SEEDREAM_PRO, seedream5_lite = SEEDREAM_LITE } do
  add("text_to_image", id, "image", "Seedream 5", {
    promptText = needed(prompt(4000)), ratio = needed(ratio(sizes)), grounding = f.FLAG, outputCount = f.count(),
    outputFormat = word "png jpeg", referenceImages = f.IMAGES,
  })
end
add("text_to_image", "grok_imagine_image_2", "image", "Grok Imagine Image 2", {
  promptText = needed(prompt()), ratio = needed(ratio(GROK_IMAGE)), edit = f.FLAG, outputCount = f.count(),
  quality = priced "low medium", referenceImages = f.IMAGES,
})

-- Other makers' videos. Their lengths have no published limits, and a size is reached by the vendor's own `ratio`.
local function seedance(ids, label, sizes, most, more)
  local common = { audio = f.AUDIO, duration = f.AUTO_SECONDS, ratio = ratio(sizes), referenceAudio = f.AUDIOS, seed = f.SEED }
  local function takes(own)
    for name, input in pairs(common) do own[name] = own[name] or input end
    return own
  end
  local text = prompt(most)
  add("text_to_video", ids, "video", label, takes { promptText = most < 15000 and needed(text) or text, references = f.IMAGES,
    referenceVideos = f.VIDEOS }, more)
  add("image_to_video", ids, "video", label, takes { promptText = text, promptImage = needed(f.IMAGE) },
    { price = more.price, last_frame = true })
  add("video_to_video", ids, "video", label, takes { promptText = text, promptVideo = needed(f.VIDEO_URI), references = f.IMAGES,
    referenceVideos = f.VIDEOS, mode = most >= 15000 and word "reference extend edit" or nil }, more)
end
seedance("seedance2", "Seedance 2", SEEDANCE_LARGE, 3500, { price = price("second", 36) })
seedance("seedance2_fast seedance2_mini", "Seedance 2", SEEDANCE_SMALL, 3500, {})
seedance("seedance2_5", "Seedance 2.5", SEEDANCE_25, 15000, {})
local HAILUO_SIZE = priced "768p 2k 768P 2K"
local HAILUO_RATIO = ratio "adaptive 21:9 16:9 4:3 1:1 3:4 9:16"
add("text_to_video", "hailuo3", "video", "Hailuo 3", {
  promptText = needed(prompt()), duration = f.ANY_SECONDS, ratio = HAILUO_RATIO, referenceAudio = f.AUDIOS,
  references = f.IMAGES, referenceVideos = f.VIDEOS, resolution = HAILUO_SIZE,
})
add("image_to_video", "hailuo3", "video", "Hailuo 3", {
  promptText = needed(prompt()), promptImage = needed(f.IMAGE), duration = f.ANY_SECONDS, ratio = HAILUO_RATIO,
  referenceAudio = f.AUDIOS, resolution = HAILUO_SIZE,
}, { last_frame = true })
add("video_to_video", "hailuo3", "video", "Hailuo 3", {
  promptText = needed(prompt()), promptVideo = needed(f.VIDEO_URI), duration = f.ANY_SECONDS, ratio = HAILUO_RATIO,
  referenceAudio = f.AUDIOS, references = f.IMAGES, referenceVideos = f.VIDEOS, resolution = HAILUO_SIZE,
})
add("text_to_video", "happyhorse_1_0", "video", "HappyHorse 1.0", {
  promptText = needed(prompt(2500)), duration = f.ANY_SECONDS, ratio = ratio(HAPPYHORSE),
})
add("image_to_video", "happyhorse_1_0", "video", "HappyHorse 1.0", {
  promptText = prompt(2500), promptImage = needed(f.IMAGE), duration = f.ANY_SECONDS,
  resolution = priced "720p 1080p 720P 1080P",
})
add("text_to_video", "gemini_omni_flash", "video", "Gemini Omni Flash", {
  promptText = needed(prompt()), duration = seconds(3, 10), ratio = ratio "1280:720 720:1280",
})
add("image_to_video", "gemini_omni_flash", "video", "Gemini Omni Flash", {
  promptText = prompt(), promptImage = needed(f.IMAGE), duration = seconds(3, 10), ratio = ratio "1280:720 720:1280",
})
add("video_to_video", "gemini_omni_flash", "video", "Gemini Omni Flash", {
  promptText = needed(prompt()), videoUri = needed(f.VIDEO_URI), references = f.IMAGES,
})
add("text_to_video", "gemini_omni_flash_1.1", "video", "Gemini Omni Flash 1.1", {
  promptText = needed(prompt()), duration = f.AUTO_SECONDS, ratio = ratio(OMNI_11), references = f.IMAGES,
  referenceVideos = f.VIDEOS,
})
add("image_to_video", "gemini_omni_flash_1.1", "video", "Gemini Omni Flash 1.1", {
  promptText = needed(prompt()), promptImage = needed(f.IMAGE), duration = f.AUTO_SECONDS, ratio = ratio(OMNI_11),
}, { last_frame = true })
add("video_to_video", "gemini_omni_flash_1.1", "video", "Gemini Omni Flash 1.1", {
  promptText = needed(prompt()), videoUri = needed(f.VIDEO_URI), duration = f.AUTO_SECONDS, ratio = ratio(OMNI_11),
  mode = word "reference extend edit", references = f.IMAGES,
})
add("text_to_video", "grok_imagine_1_5", "video", "Grok Imagine 1.5", {
  promptText = needed(prompt()), duration = f.ANY_SECONDS, ratio = ratio "1:1 16:9 9:16 4:3 3:4 3:2 2:3",
  referenceAudio = f.AUDIOS, references = f.IMAGES, resolution = priced "480p 720p 1080p",
})
add("image_to_video", "grok_imagine_1_5", "video", "Grok Imagine 1.5", {
  promptText = prompt(), promptImage = needed(f.IMAGE), duration = f.ANY_SECONDS, resolution = priced "480p 720p 1080p",
})
add("text_to_video", "wan3 wan3_prime", "video", "Wan 3", {
  promptText = needed(prompt()), audio = f.AUDIO, duration = f.ANY_SECONDS, ratio = ratio(WAN), referenceAudio = f.AUDIOS,
  references = f.IMAGES, referenceVideos = f.VIDEOS,
})
add("image_to_video", "wan3 wan3_prime", "video", "Wan 3", {
  promptText = needed(prompt()), promptImage = needed(f.IMAGE), audio = f.AUDIO, duration = f.ANY_SECONDS, ratio = ratio(WAN),
  referenceAudio = f.AUDIOS, referenceVideos = f.VIDEOS,
}, { last_frame = true })
local H3_RESOLUTION, EXPANSION = priced "480p 768p", word "balanced disabled quality"
add("text_to_video", "h3_max", "video", "MiniMax H3 Max", {
  promptText = needed(prompt()), duration = f.ANY_SECONDS, promptExpansionMode = EXPANSION, resolution = H3_RESOLUTION,
  seed = f.SEED,
})
add("image_to_video", "h3_max", "video", "MiniMax H3 Max", {
  promptText = needed(prompt()), promptImage = needed(f.IMAGE), duration = f.ANY_SECONDS, promptExpansionMode = EXPANSION,
  resolution = H3_RESOLUTION, seed = f.SEED,
}, { last_frame = true })

-- What is done to pictures, videos and sound.
add("image_upscale", "magnific_precision_upscaler_v2", "image", "Magnific Precision Upscaler", {
  imageUri = needed(f.IMAGE_URI), flavor = word "sublime photo photo_denoiser", sharpen = f.PERCENT, smartGrain = f.PERCENT,
  scaleFactor = { type = "integer", enum = { 2, 4, 8, 16 }, default = 2, x_costs = true }, ultraDetail = f.PERCENT,
})
add("video_upscale", "magnific_video_upscaler_creative", "video", "Magnific Video Upscaler", {
  videoUri = needed(f.VIDEO_URI), creativity = f.PERCENT, flavor = word "vivid natural", fpsBoost = f.AUDIO,
  resolution = { type = "string", enum = { "720p", "1k", "2k", "4k" }, default = "2k", x_costs = true }, sharpen = f.PERCENT,
  smartGrain = f.PERCENT,
})
add("video_upscale", "enhance_frame_rate", "video", "Enhance Frame Rate", {
  videoUri = needed(f.VIDEO_URI), targetFramerate = needed(priced "24 25 30 48 50 60 120 23_98 29_97 59_94"),
})
add("video_to_hdr", "ruby", "video", "Ruby (HDR)", {
  videoUri = needed(f.VIDEO_URI), proresProfile = f.PRORES,
  outputFormat = priced("hdr10 hlg hdr_prores hdr_exr_sequence hdr_exr_acescg_sequence_1_3 hdr_exr_acescg_sequence_2_0", true),
})
local SOUND = { promptText = needed(prompt()), loudnessRate = f.NUMBER, outputFormat = word "wav mp3 ogg_opus",
  pitchRate = f.NUMBER, sampleRate = { type = "integer", examples = { 8000, 16000, 24000, 32000, 44100, 48000 } },
  speechRate = f.NUMBER, voice = f.OBJECT }
add("text_to_speech", "seed_audio", "audio", "Seed Audio", SOUND)
SOUND.voice, SOUND.referenceAudios = nil, f.AUDIO_URIS
add("sound_effect", "seed_audio", "audio", "Seed Audio", SOUND)
add("text_to_speech", "eleven_multilingual_v2", "audio", "Eleven Multilingual 2", {
  promptText = needed(prompt(1000)), voice = needed(f.OBJECT),
})
add("text_to_speech", "eleven_v3", "audio", "Eleven 3", {
  promptText = needed(prompt()), voice = needed(f.OBJECT), applyTextNormalization = word "auto on off", languageCode = f.TEXT,
  seed = f.SEED, similarityBoost = f.NUMBER, speed = f.NUMBER, stability = f.NUMBER, style = f.NUMBER, useSpeakerBoost = f.FLAG,
})
add("sound_effect", "eleven_text_to_sound_v2", "audio", "Eleven Sound Effects 2", {
  promptText = needed(prompt()), loop = f.FLAG,
  duration = { type = "number", minimum = 0.5, maximum = 30, x_unit = "s", x_costs = true },
})
add("speech_to_speech", "eleven_multilingual_sts_v2", "audio", "Eleven Speech to Speech 2", {
  media = needed(f.OBJECT), voice = needed(f.OBJECT), removeBackgroundNoise = f.FLAG,
})
add("voice_dubbing", "eleven_voice_dubbing", "audio", "Eleven Dubbing", {
  audioUri = needed(f.AUDIO_URI), disableVoiceCloning = f.FLAG, dropBackgroundAudio = f.FLAG,
  numSpeakers = { type = "integer" }, targetLang = needed(word [[ en hi pt zh es fr de ja ar ru ko id it nl tr pl sv fil ms ro uk
    el cs da fi bg hr sk ta ]]),
})
add("voice_isolation", "eleven_voice_isolation", "audio", "Eleven Voice Isolation", { audioUri = needed(f.AUDIO_URI) })
add("avatar_videos", "gwm1_avatars", "video", "GWM-1 Avatars", { avatar = needed(f.OBJECT), speech = needed(f.OBJECT) })

runway_models.CREDITS_PER_USD, runway_models.MODELS = CREDITS_PER_USD, MODELS
runway_models.KEYS = names.sorted(MODELS)

-- The endpoints in the order in which a model's own is chosen.
runway_models.OPERATIONS = fragments.list [[ text_to_video image_to_video video_to_video text_to_image character_performance
  image_upscale video_upscale video_to_hdr text_to_speech sound_effect speech_to_speech voice_dubbing voice_isolation
  avatar_videos ]]

return runway_models
