-- replicate_documents.lua - what Replicate published of some models: recorded answers, the vendor's prose and pictures left out.
--
-- From 2025-01 to 2026-02. Data only; lua/sim/replicate_directory.lua serves it.
local cjson = require "cjson"

return {
  -- GET /v1/models/{owner}/{name}
  models = cjson.decode [==[[
{"cover_image_url": null, "created_at": "2024-11-11T23:03:07.000926Z", "default_example": {
"id": "a0nn5pvxrdrmc0ck504acd609c", "model": "black-forest-labs/flux-dev-lora",
"version": "020c43aaade51c7750406f62eb197e8a9d4c8d9314a0dd951f4a834d13570587", "status": "succeeded",
"created_at": "2024-11-14T00:17:45.411000Z", "started_at": "2024-11-14T00:17:45.416044Z",
"completed_at": "2024-11-14T00:17:48.247218Z", "data_removed": false, "error": null, "metrics": {"image_count": 1,
"predict_time": 2.831174012, "total_time": 2.836218}}, "description": null, "github_url": null, "latest_version": {
"id": "9dbd61f957fb7f5026588ae306b1db961f2d1d3ba314f05bc92ded2158df0b17", "created_at": "2024-12-03T05:36:59.016237Z",
"cog_version": "0.9.21", "openapi_schema": {"info": {"title": "Cog", "version": "0.1.0"}, "openapi": "3.0.2",
"components": {"schemas": {"Input": {"type": "object", "title": "Input", "required": ["prompt"], "properties": {
"seed": {"type": "integer", "title": "Seed", "x-order": 7}, "image": {"type": "string", "title": "Image",
"format": "uri", "x-order": 2}, "prompt": {"type": "string", "title": "Prompt", "x-order": 0}, "go_fast": {
"type": "boolean", "title": "Go Fast", "default": true, "x-order": 11}, "guidance": {"type": "number",
"title": "Guidance", "default": 3, "maximum": 10, "minimum": 0, "x-order": 6}, "lora_scale": {"type": "number",
"title": "Lora Scale", "default": 1, "maximum": 3, "minimum": -1, "x-order": 13}, "megapixels": {"allOf": [{
"$ref": "#/components/schemas/megapixels"}], "default": "1", "x-order": 14}, "num_outputs": {"type": "integer",
"title": "Num Outputs", "default": 1, "maximum": 4, "minimum": 1, "x-order": 4}, "aspect_ratio": {"allOf": [{
"$ref": "#/components/schemas/aspect_ratio"}], "default": "1:1", "x-order": 1}, "lora_weights": {"type": "string",
"title": "Lora Weights", "x-order": 12}, "output_format": {"allOf": [{"$ref": "#/components/schemas/output_format"}],
"default": "webp", "x-order": 8}, "output_quality": {"type": "integer", "title": "Output Quality", "default": 80,
"maximum": 100, "minimum": 0, "x-order": 9}, "prompt_strength": {"type": "number", "title": "Prompt Strength",
"default": 0.8, "maximum": 1, "minimum": 0, "x-order": 3}, "num_inference_steps": {"type": "integer",
"title": "Num Inference Steps", "default": 28, "maximum": 50, "minimum": 1, "x-order": 5}, "disable_safety_checker": {
"type": "boolean", "title": "Disable Safety Checker", "default": false, "x-order": 10}}}, "Output": {"type": "array",
"items": {"type": "string", "format": "uri"}, "title": "Output"}, "megapixels": {"enum": ["1", "0.25"],
"type": "string", "title": "megapixels"}, "aspect_ratio": {"enum": ["1:1", "16:9", "21:9", "3:2", "2:3", "4:5", "5:4",
"3:4", "4:3", "9:16", "9:21"], "type": "string", "title": "aspect_ratio"}, "output_format": {"enum": ["webp", "jpg",
"png"], "type": "string", "title": "output_format"}}}, "paths": {}}}, "license_url": null, "name": "flux-dev-lora",
"owner": "black-forest-labs", "paper_url": null, "run_count": 120282,
"url": "https://replicate.com/black-forest-labs/flux-dev-lora", "visibility": "public", "weights_url": null,
"is_official": true},
{"cover_image_url": null, "created_at": "2022-06-22T01:08:15.680509Z", "default_example": null, "description": null,
"github_url": null, "latest_version": {"id": "f121d640bd286e1fdc67f9799164c1d5be36ff74576ee11c803ae5b665dd46aa",
"created_at": "2024-07-25T03:42:55.599064Z", "cog_version": "0.10.0-alpha17", "openapi_schema": {"info": {
"title": "Cog", "version": "0.1.0"}, "openapi": "3.0.2", "components": {"schemas": {"Input": {"type": "object",
"title": "Input", "required": ["image"], "properties": {"image": {"type": "string", "title": "Image", "format": "uri",
"x-order": 0}, "scale": {"type": "number", "title": "Scale", "default": 4, "maximum": 10, "minimum": 0, "x-order": 1},
"face_enhance": {"type": "boolean", "title": "Face Enhance", "default": false, "x-order": 2}}}, "Output": {
"type": "string", "title": "Output", "format": "uri"}}}, "paths": {}}}, "license_url": null, "name": "real-esrgan",
"owner": "nightmareai", "paper_url": null, "run_count": 59041514,
"url": "https://replicate.com/nightmareai/real-esrgan", "visibility": "public", "weights_url": null},
{"url": "https://replicate.com/google/nano-banana-pro", "owner": "google", "name": "nano-banana-pro",
"description": null, "visibility": "public", "github_url": null, "paper_url": null, "license_url": null,
"run_count": 1, "cover_image_url": null, "default_example": null, "is_official": true, "latest_version": {
"id": "d71e2df08d6ef4c4fb6d3773e9e557de6312e04444940dbb81fd73366ed83941", "created_at": "2026-02-27T10:12:41.104Z",
"cog_version": "0.16.9", "openapi_schema": {"openapi": "3.0.2", "info": {"title": "Cog", "version": "0.1.0"},
"paths": {}, "components": {"schemas": {"Input": {"type": "object", "title": "Input", "required": ["prompt"],
"properties": {"prompt": {"type": "string", "title": "Prompt", "x-order": 0}, "resolution": {"allOf": [{
"$ref": "#/components/schemas/resolution"}], "default": "2K", "x-order": 3}, "image_input": {"type": "array",
"items": {"type": "string", "format": "uri"}, "title": "Image Input", "default": [], "x-order": 1}, "aspect_ratio": {
"allOf": [{"$ref": "#/components/schemas/aspect_ratio"}], "default": "match_input_image", "x-order": 2},
"output_format": {"allOf": [{"$ref": "#/components/schemas/output_format"}], "default": "jpg", "x-order": 4},
"safety_filter_level": {"allOf": [{"$ref": "#/components/schemas/safety_filter_level"}], "default": "block_only_high",
"x-order": 5}, "allow_fallback_model": {"type": "boolean", "title": "Allow Fallback Model", "default": false,
"x-order": 6}}}, "Output": {"type": "string", "title": "Output", "format": "uri"}, "resolution": {"enum": ["1K", "2K",
"4K"], "type": "string", "title": "resolution"}, "aspect_ratio": {"enum": ["match_input_image", "1:1", "2:3", "3:2",
"3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"], "type": "string", "title": "aspect_ratio"}, "output_format": {
"enum": ["jpg", "png"], "type": "string", "title": "output_format"}, "safety_filter_level": {"enum": [
"block_low_and_above", "block_medium_and_above", "block_only_high"], "type": "string",
"title": "safety_filter_level"}}}}}},
{"cover_image_url": null, "created_at": "2022-02-23T01:12:00.881389Z", "default_example": null, "description": null,
"github_url": null, "latest_version": {"id": "45c75f75ff746493080d172c7e154ee3d921b7726b5e4b380066822965bd48ae",
"created_at": "2022-02-23T01:52:05.853559Z", "cog_version": "0.1.3+shimmed", "openapi_schema": {"components": {
"schemas": {"Input": {"type": "object", "properties": {"seed": {"type": "integer", "default": 0, "x-order": 9},
"prompt": {"type": "string", "default": "", "x-order": 0}, "side_x": {"enum": ["32", "48", "64", "80", "96", "112",
"128"], "type": "integer", "default": 64, "x-order": 2}, "side_y": {"enum": ["32", "48", "64", "80", "96", "112",
"128"], "type": "integer", "default": 64, "x-order": 3}, "batch_size": {"type": "integer", "default": 3, "maximum": 6,
"minimum": 1, "x-order": 1}, "upsample_temp": {"enum": ["0.997", "0.998", "1.0"], "type": "number", "default": 0.998,
"x-order": 6}, "guidance_scale": {"type": "number", "default": 4, "x-order": 5}, "upsample_stage": {"type": "boolean",
"default": true, "x-order": 4}, "timestep_respacing": {"enum": ["5", "10", "15", "20", "25", "27", "30", "35", "40",
"45", "50", "75", "100", "125", "150"], "type": "string", "default": "40", "x-order": 7}, "sr_timestep_respacing": {
"enum": ["5", "10", "15", "17", "19", "20", "21", "23", "25", "27", "fast27", "30", "35", "40", "40"],
"type": "string", "default": "17", "x-order": 8}}}, "Output": {"type": "array", "items": {"type": "object",
"properties": {"file": {"type": "string", "format": "uri", "x-order": 0}, "text": {"type": "string",
"x-order": 1}}}}}}, "paths": {}}}, "license_url": null, "name": "laionide-v2", "owner": "laion-ai", "paper_url": null,
"run_count": 3759, "url": "https://replicate.com/laion-ai/laionide-v2", "visibility": "public", "weights_url": null},
{"url": "https://replicate.com/google/nano-banana", "owner": "google", "name": "nano-banana", "description": null,
"visibility": "public", "github_url": null, "paper_url": null, "license_url": null, "run_count": 4304274,
"cover_image_url": null, "default_example": null, "is_official": true, "latest_version": {
"id": "56b8f5f774804fda8ffe63f01d3e2900f97609bd7ae976f50e595854110de200", "created_at": "2025-09-12T16:36:33.884779Z",
"cog_version": "0.16.7", "openapi_schema": {}}}
]]==],
  -- of GET /v1/search
  collections = cjson.decode [==[[
{"name": "Image Editing", "slug": "image-editing", "description": null, "models": ["google/nano-banana",
"stability-ai/stable-diffusion"]}
]]==],
  -- GET /v1/deployments/acme/upscale
  deployment = cjson.decode [==[{
"owner": "acme",
"name": "upscale",
"current_release": {"number": 3, "model": "nightmareai/real-esrgan",
"version": "f121d640bd286e1fdc67f9799164c1d5be36ff74576ee11c803ae5b665dd46aa",
"created_at": "2026-08-02T09:11:20.113Z", "created_by": {"type": "organization", "username": "acme", "name": "Acme",
"avatar_url": null, "github_url": null}, "configuration": {"hardware": "gpu-l40s", "min_instances": 0,
"max_instances": 2}}
}]==],
}
