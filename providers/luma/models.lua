-- models.lua - what Luma's two APIs make, and what each kind of generation takes: data of providers/video_luma.lua.
--
-- From https://docs.lumalabs.ai and https://docs.agents.lumalabs.ai, checked 2026-11-23.

local names = require "names"

local luma_models = {}

local words = names.words

local DREAM_ASPECTS = { "1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21" }
local AGENTS_IMAGE_ASPECTS = { "3:1", "2:1", "16:9", "3:2", "1:1", "2:3", "9:16", "1:2", "1:3" }
local AGENTS_VIDEO_ASPECTS = { "9:16", "3:4", "1:1", "4:3", "16:9", "21:9" }
local DREAM_RESOLUTIONS = { "540p", "720p", "1080p", "4k" }
local AGENTS_RESOLUTIONS = { "360p", "540p", "720p", "1080p" }
local REFRAME_FIELDS = [[ callback_url generation_type grid_position_x grid_position_y media resized_height resized_width
  x_end x_start y_end y_start ]]
local MODIFY_MODES = {
  "adhere_1", "adhere_2", "adhere_3", "flex_1", "flex_2", "flex_3", "reimagine_1", "reimagine_2", "reimagine_3",
}

-- What each kind of generation takes. `prompt` is "required", "optional" or nil (takes none); `fields` are the vendor's names
-- that go through as they are.
local KINDS = {
  video = {
    makes = "video", prompt = "required", prompt_max = 5000, aspects = DREAM_ASPECTS, resolutions = DREAM_RESOLUTIONS,
    seconds = { 5, 9 }, fields = words "callback_url concepts generation_type keyframes loop",
  },
  image = {
    makes = "image", prompt = "required", prompt_max = 5000, aspects = DREAM_ASPECTS,
    fields = words "callback_url character_ref format generation_type image_ref modify_image_ref style_ref sync sync_timeout",
  },
  modify_video = {
    makes = "video", prompt = "optional", prompt_max = 5000, generation_type = "modify_video",
    fields = words "callback_url first_frame generation_type media mode",
  },
  reframe_video = {
    makes = "video", prompt = "optional", prompt_max = 5000, aspects = DREAM_ASPECTS, generation_type = "reframe_video",
    needs_aspect = true, fields = words(REFRAME_FIELDS .. "first_frame"),
  },
  reframe_image = {
    makes = "image", prompt = "optional", prompt_max = 5000, aspects = DREAM_ASPECTS, generation_type = "reframe_image",
    needs_aspect = true, fields = words(REFRAME_FIELDS .. "format"),
  },
  upscale_video = {
    makes = "video", resolutions = DREAM_RESOLUTIONS, generation_type = "upscale_video", modelless = true,
    fields = words "callback_url generation_type",
  },
  add_audio = {
    makes = "video", prompt = "optional", prompt_max = 5000, generation_type = "add_audio", modelless = true,
    fields = words "callback_url generation_type negative_prompt",
  },
  agents_image = {
    makes = "image", prompt = "required", prompt_max = 6000, aspects = AGENTS_IMAGE_ASPECTS,
    fields = words "image_ref output_format source type user_id web_search",
  },
  agents_video = {
    makes = "video", prompt = "required", prompt_max = 6000, aspects = AGENTS_VIDEO_ASPECTS, resolutions = AGENTS_RESOLUTIONS,
    seconds = { 5, 10 }, fields = words "source type user_id",
    video_fields = words [[ edit end_frame exr_export guide_frame hdr keyframe_indexes keyframes loop source_position
      start_frame ]],
  },
}

local MODELS = {
  ["ray-2"] = { api = "dream_machine", makes = "video" }, ["ray-flash-2"] = { api = "dream_machine", makes = "video" },
  ["photon-1"] = { api = "dream_machine", makes = "image" }, ["photon-flash-1"] = { api = "dream_machine", makes = "image" },
  ["uni-1"] = { api = "agents", kind = "agents_image" }, ["uni-1-max"] = { api = "agents", kind = "agents_image" },
  ["ray-3.2"] = { api = "agents", kind = "agents_video" },
}
local MODEL_IDS = names.sorted(MODELS)

-- The paths of Dream Machine. `generations` is the older way to make a video, with the same body.
local PATHS = {
  ["generations"] = "video", ["generations/video"] = "video", ["generations/image"] = "image",
  ["generations/video/modify"] = "modify_video", ["generations/video/reframe"] = "reframe_video",
  ["generations/image/reframe"] = "reframe_image",
}
-- What is done to an earlier generation: generations/<id>/<action>.
local ACTIONS = { upscale = "upscale_video", audio = "add_audio" }

-- Every name of the two contracts: what one kind has, another refuses rather than making something else.
local CONTRACT_FIELDS = {}
for _, kind in pairs(KINDS) do
  for name in pairs(kind.fields) do CONTRACT_FIELDS[name] = true end
  for name in pairs(kind.video_fields or {}) do CONTRACT_FIELDS[name] = true end
end

--- What clients are told of the models.
luma_models.FOR_CLIENTS = {
  ["ray-2"] = { resolutions = DREAM_RESOLUTIONS, seconds = KINDS.video.seconds, aspect_ratios = DREAM_ASPECTS },
  ["ray-flash-2"] = { resolutions = DREAM_RESOLUTIONS, seconds = KINDS.video.seconds, aspect_ratios = DREAM_ASPECTS },
  ["photon-1"] = { aspect_ratios = DREAM_ASPECTS }, ["photon-flash-1"] = { aspect_ratios = DREAM_ASPECTS },
  ["ray-3.2"] = {
    resolutions = AGENTS_RESOLUTIONS, seconds = KINDS.agents_video.seconds, aspect_ratios = AGENTS_VIDEO_ASPECTS,
  },
  ["uni-1"] = { aspect_ratios = AGENTS_IMAGE_ASPECTS }, ["uni-1-max"] = { aspect_ratios = AGENTS_IMAGE_ASPECTS },
}

luma_models.KINDS, luma_models.MODELS, luma_models.MODEL_IDS = KINDS, MODELS, MODEL_IDS
luma_models.PATHS, luma_models.ACTIONS, luma_models.CONTRACT_FIELDS = PATHS, ACTIONS, CONTRACT_FIELDS
luma_models.MODIFY_MODES = MODIFY_MODES

return luma_models
