-- fal_documents.lua - what fal published of some models: recorded answers of its directory, the vendor's prose left out.
--
-- Live recordings of 2026-04 and documents of 2025-02 to 2026-09. Data only; lua/sim/fal_directory.lua serves it.
local cjson = require "cjson"

return {
  -- the rows of GET /v1/models, in their order
  rows = cjson.decode [==[[
{"endpoint_id": "fal-ai/nano-banana-2/edit", "metadata": {"display_name": "Nano Banana 2",
"category": "image-to-image", "description": "(text of the vendor)", "status": "active", "tags": [],
"updated_at": "2026-04-10T23:20:08.671Z", "is_favorited": false,
"thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg", "model_url": "https://fal.run/fal-ai/nano-banana-2/edit",
"license_type": "commercial", "date": "2026-02-26T16:20:09.685Z", "highlighted": false, "kind": "inference",
"pinned": false, "group": {"key": "nano-banana-2", "label": "Image Editing"}}},
{"endpoint_id": "fal-ai/nano-banana-pro/edit", "metadata": {"display_name": "Nano Banana Pro",
"category": "image-to-image", "description": "(text of the vendor)", "status": "active", "tags": ["realism",
"typography"], "updated_at": "2026-04-10T23:22:04.231Z", "is_favorited": false,
"thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg",
"model_url": "https://fal.run/fal-ai/nano-banana-pro/edit", "license_type": "commercial",
"date": "2025-11-20T14:27:03.344Z", "highlighted": false, "kind": "inference", "pinned": false, "group": {
"key": "Nano-Banana-Pro", "label": "Image Editing"}}},
{"endpoint_id": "fal-ai/nano-banana-2", "metadata": {"display_name": "Nano Banana 2", "category": "text-to-image",
"description": "(text of the vendor)", "status": "active", "tags": [], "updated_at": "2026-03-24T15:19:42.532Z",
"is_favorited": false, "thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg",
"model_url": "https://fal.run/fal-ai/nano-banana-2", "license_type": "commercial", "date": "2026-02-26T16:08:01.361Z",
"highlighted": false, "kind": "inference", "pinned": false, "group": {"key": "nano-banana-2",
"label": "Text to Image"}}},
{"endpoint_id": "fal-ai/flux/schnell", "metadata": {"display_name": "FLUX.1 [schnell]", "category": "text-to-image",
"description": "(text of the vendor)", "status": "active", "tags": [], "updated_at": "2026-01-26T21:44:11.395Z",
"is_favorited": false, "thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg",
"model_url": "https://fal.run/fal-ai/flux/schnell", "license_type": "commercial", "date": "2024-11-25T00:00:00.000Z",
"highlighted": false, "kind": "inference", "pinned": false,
"github_url": "https://www.apache.org/licenses/LICENSE-2.0.txt", "group": {"key": "flux-1",
"label": "Text to Image [schnell]"}}},
{"endpoint_id": "fal-ai/nano-banana-pro", "metadata": {"display_name": "Nano Banana Pro", "category": "text-to-image",
"description": "(text of the vendor)", "status": "active", "tags": ["realism", "typography"],
"updated_at": "2026-04-10T23:21:06.337Z", "is_favorited": false,
"thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg", "model_url": "https://fal.run/fal-ai/nano-banana-pro",
"license_type": "commercial", "date": "2025-11-20T14:24:45.001Z", "highlighted": false, "kind": "inference",
"pinned": false, "group": {"key": "Nano-Banana-Pro", "label": "Text to Image"}}},
{"endpoint_id": "fal-ai/flux-2-pro", "metadata": {"display_name": "Flux 2 Pro", "category": "text-to-image",
"description": "(text of the vendor)", "status": "active", "tags": [], "updated_at": "2026-02-27T22:27:29.257Z",
"is_favorited": false, "thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg",
"model_url": "https://fal.run/fal-ai/flux-2-pro", "license_type": "commercial", "date": "2025-11-23T00:14:31.608Z",
"highlighted": false, "kind": "inference", "pinned": false, "group": {"key": "Flux2-Pro", "label": "Text to Image"}}},
{"endpoint_id": "fal-ai/flux-2-pro/edit", "metadata": {"display_name": "Flux 2 Pro", "category": "image-to-image",
"description": "(text of the vendor)", "status": "active", "tags": [], "updated_at": "2026-02-27T22:27:42.524Z",
"is_favorited": false, "thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg",
"model_url": "https://fal.run/fal-ai/flux-2-pro/edit", "license_type": "commercial",
"date": "2025-11-23T00:13:41.404Z", "highlighted": false, "kind": "inference", "pinned": false, "group": {
"key": "Flux2-Pro", "label": "Image Editing"}}},
{"endpoint_id": "fal-ai/flux-2", "metadata": {"display_name": "Flux 2", "category": "text-to-image",
"description": "(text of the vendor)", "status": "active", "tags": [], "updated_at": "2026-02-27T22:14:05.129Z",
"is_favorited": false, "thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg",
"model_url": "https://fal.run/fal-ai/flux-2", "license_type": "commercial", "date": "2025-11-23T00:15:07.672Z",
"highlighted": false, "kind": "inference", "pinned": false, "group": {"key": "Flux2", "label": "Text to Image"},
"stream_url": "https://fal.ai/models/fal-ai/flux-2/stream"}},
{"endpoint_id": "fal-ai/flux/dev/redux", "metadata": {"display_name": "FLUX.1 [dev] Redux",
"category": "image-to-image", "description": "(text of the vendor)", "status": "deprecated", "tags": [],
"updated_at": "2025-01-15T12:00:00Z", "is_favorited": false,
"thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg", "model_url": "https://fal.run/fal-ai/flux/dev/redux",
"license_type": "commercial", "date": "2024-11-22T00:00:00Z", "highlighted": false, "kind": "inference",
"pinned": false}},
{"endpoint_id": "acme/private-app"},
{"endpoint_id": "fal-ai/flux/dev", "metadata": {"display_name": "FLUX.1 [dev]", "category": "text-to-image",
"description": "(text of the vendor)", "status": "active", "tags": [], "updated_at": "2025-01-15T12:00:00Z",
"is_favorited": false, "thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg",
"model_url": "https://fal.run/fal-ai/flux/dev", "license_type": "commercial", "date": "2024-08-01T00:00:00Z",
"highlighted": false, "kind": "inference", "pinned": false}},
{"endpoint_id": "fal-ai/bytedance/seedream/v4/text-to-image", "metadata": {"display_name": "Bytedance Seedream v4",
"category": "text-to-image", "description": "(text of the vendor)", "status": "active", "tags": [],
"updated_at": "2025-09-09T10:00:00Z", "is_favorited": false,
"thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg",
"model_url": "https://fal.run/fal-ai/bytedance/seedream/v4/text-to-image", "license_type": "commercial",
"date": "2025-09-09T10:00:00Z", "highlighted": false, "kind": "inference", "pinned": false}},
{"endpoint_id": "fal-ai/kling-video/v2.1/standard/image-to-video", "metadata": {"display_name": "Kling 2.1 Standard",
"category": "image-to-video", "description": "(text of the vendor)", "status": "active", "tags": [],
"updated_at": "2025-06-04T00:00:00Z", "is_favorited": false,
"thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg",
"model_url": "https://fal.run/fal-ai/kling-video/v2.1/standard/image-to-video", "license_type": "commercial",
"date": "2025-05-30T00:00:00Z", "highlighted": false, "kind": "inference", "pinned": false}},
{"endpoint_id": "fal-ai/kling-video/v3/pro/image-to-video", "metadata": {"display_name": "Kling 3 Pro",
"category": "image-to-video", "description": "(text of the vendor)", "status": "active", "tags": [],
"updated_at": "2026-02-14T00:00:00Z", "is_favorited": false,
"thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg",
"model_url": "https://fal.run/fal-ai/kling-video/v3/pro/image-to-video", "license_type": "commercial",
"date": "2026-02-05T00:00:00Z", "highlighted": false, "kind": "inference", "pinned": false}},
{"endpoint_id": "fal-ai/topaz/upscale/video", "metadata": {"display_name": "Topaz Video Upscale",
"category": "video-to-video", "description": "(text of the vendor)", "status": "active", "tags": [],
"updated_at": "2025-03-01T00:00:00Z", "is_favorited": false,
"thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg", "model_url": "https://fal.run/fal-ai/topaz/upscale/video",
"license_type": "commercial", "date": "2024-12-10T00:00:00Z", "highlighted": false, "kind": "inference",
"pinned": false}},
{"endpoint_id": "fal-ai/playai/tts/v3", "metadata": {"display_name": "PlayAI TTS v3", "category": "text-to-speech",
"description": "(text of the vendor)", "status": "active", "tags": [], "updated_at": "2025-02-01T00:00:00Z",
"is_favorited": false, "thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg",
"model_url": "https://fal.run/fal-ai/playai/tts/v3", "license_type": "commercial", "date": "2024-12-20T00:00:00Z",
"highlighted": false, "kind": "inference", "pinned": false}},
{"endpoint_id": "fal-ai/flux-lora", "metadata": {"display_name": "FLUX.1 [dev] with LoRAs",
"category": "text-to-image", "description": "(text of the vendor)", "status": "active", "tags": [],
"updated_at": "2026-01-10T00:00:00Z", "is_favorited": false,
"thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg", "model_url": "https://fal.run/fal-ai/flux-lora",
"license_type": "commercial", "date": "2024-08-12T00:00:00Z", "highlighted": false, "kind": "inference",
"pinned": false}},
{"endpoint_id": "fal-ai/face-to-sticker", "metadata": {"display_name": "Face to Sticker",
"category": "image-to-image", "description": "(text of the vendor)", "status": "active", "tags": [],
"updated_at": "2024-05-01T00:00:00Z", "is_favorited": false,
"thumbnail_url": "https://v3b.fal.media/files/b/thumb.jpg", "model_url": "https://fal.run/fal-ai/face-to-sticker",
"license_type": "commercial", "date": "2024-03-26T00:00:00Z", "highlighted": false, "kind": "inference",
"pinned": false}}
]]==],
  -- the OpenAPI documents of `expand=openapi-3.0`, by endpoint
  documents = cjson.decode [==[{
"fal-ai/flux/dev": {"openapi": "3.0.4", "info": {"title": "Queue OpenAPI for fal-ai/flux/dev", "version": "1.0.0",
"x-fal-metadata": {"endpointId": "fal-ai/flux/dev", "category": "text-to-image",
"playgroundUrl": "https://fal.ai/models/fal-ai/flux/dev",
"documentationUrl": "https://fal.ai/models/fal-ai/flux/dev/api"}}, "components": {"securitySchemes": {"apiKeyAuth": {
"type": "apiKey", "in": "header", "name": "Authorization"}}, "schemas": {"QueueStatus": {"type": "object",
"properties": {"status": {"type": "string", "enum": ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]}, "request_id": {
"type": "string"}, "response_url": {"type": "string"}, "status_url": {"type": "string"}, "cancel_url": {
"type": "string"}, "logs": {"type": "object", "additionalProperties": true}, "metrics": {"type": "object",
"additionalProperties": true}, "queue_position": {"type": "integer"}}, "required": ["status", "request_id"]},
"FluxDevInput": {"title": "BaseInput", "x-fal-order-properties": ["prompt", "image_size", "num_inference_steps",
"seed", "guidance_scale", "sync_mode", "num_images", "enable_safety_checker", "output_format", "acceleration"],
"properties": {"image_size": {"anyOf": [{"$ref": "#/components/schemas/ImageSize"}, {"enum": ["square_hd", "square",
"portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"], "type": "string"}], "title": "Image Size",
"default": "landscape_4_3"}, "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}], "title": "Seed"}, "prompt": {
"title": "Prompt", "type": "string"}, "output_format": {"enum": ["jpeg", "png"], "title": "Output Format",
"type": "string", "default": "jpeg"}, "enable_safety_checker": {"title": "Enable Safety Checker", "type": "boolean",
"default": true}, "num_inference_steps": {"title": "Num Inference Steps", "type": "integer", "maximum": 50,
"minimum": 1, "default": 28}, "sync_mode": {"title": "Sync Mode", "type": "boolean", "default": false},
"num_images": {"title": "Num Images", "type": "integer", "maximum": 4, "minimum": 1, "default": 1}, "acceleration": {
"enum": ["none", "regular", "high"], "title": "Acceleration", "type": "string", "default": "none"},
"guidance_scale": {"title": "Guidance scale (CFG)", "type": "number", "maximum": 20, "minimum": 1, "default": 3.5}},
"type": "object", "required": ["prompt"]}, "FluxDevOutput": {"title": "Output", "x-fal-order-properties": ["images",
"timings", "seed", "has_nsfw_concepts", "prompt"], "properties": {"timings": {"title": "Timings",
"additionalProperties": {"type": "number"}, "type": "object"}, "seed": {"title": "Seed", "type": "integer"},
"prompt": {"title": "Prompt", "type": "string"}, "images": {"title": "Images", "type": "array", "items": {
"$ref": "#/components/schemas/Image"}}, "has_nsfw_concepts": {"title": "Has Nsfw Concepts", "type": "array",
"items": {"type": "boolean"}}}, "type": "object", "required": ["images", "timings", "seed", "has_nsfw_concepts",
"prompt"]}, "ImageSize": {"title": "ImageSize", "x-fal-order-properties": ["width", "height"], "properties": {
"height": {"title": "Height", "exclusiveMinimum": 0, "type": "integer", "maximum": 14142, "default": 512}, "width": {
"title": "Width", "exclusiveMinimum": 0, "type": "integer", "maximum": 14142, "default": 512}}, "type": "object"},
"Image": {"title": "Image", "x-fal-order-properties": ["url", "width", "height", "content_type"], "properties": {
"height": {"title": "Height", "type": "integer"}, "url": {"title": "Url", "type": "string"}, "content_type": {
"anyOf": [{"type": "string"}, {"type": "null"}], "title": "Content Type", "default": "image/jpeg"}, "width": {
"title": "Width", "type": "integer"}}, "type": "object", "required": ["url", "width", "height"]}}}, "paths": {
"/fal-ai/flux/dev/requests/{request_id}/status": {"get": {"parameters": [{"name": "request_id", "in": "path",
"required": true, "schema": {"type": "string"}}, {"name": "logs", "in": "query", "required": false, "schema": {
"type": "number"}}], "responses": {"200": {"content": {"application/json": {"schema": {
"$ref": "#/components/schemas/QueueStatus"}}}}}}}, "/fal-ai/flux/dev/requests/{request_id}/cancel": {"put": {
"parameters": [{"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {
"200": {"content": {"application/json": {"schema": {"type": "object", "properties": {"success": {
"type": "boolean"}}}}}}}}}, "/fal-ai/flux/dev": {"post": {"requestBody": {"required": true, "content": {
"application/json": {"schema": {"$ref": "#/components/schemas/FluxDevInput"}}}}, "responses": {"200": {"content": {
"application/json": {"schema": {"$ref": "#/components/schemas/QueueStatus"}}}}}}},
"/fal-ai/flux/dev/requests/{request_id}": {"get": {"parameters": [{"name": "request_id", "in": "path",
"required": true, "schema": {"type": "string"}}], "responses": {"200": {"content": {"application/json": {"schema": {
"$ref": "#/components/schemas/FluxDevOutput"}}}}}}}}, "servers": [{"url": "https://queue.fal.run"}], "security": [{
"apiKeyAuth": []}]},
"fal-ai/bytedance/seedream/v4/text-to-image": {"openapi": "3.0.4", "info": {
"title": "Queue OpenAPI for fal-ai/bytedance/seedream/v4/text-to-image", "version": "1.0.0", "x-fal-metadata": {
"endpointId": "fal-ai/bytedance/seedream/v4/text-to-image", "category": "text-to-image",
"playgroundUrl": "https://fal.ai/models/fal-ai/bytedance/seedream/v4/text-to-image",
"documentationUrl": "https://fal.ai/models/fal-ai/bytedance/seedream/v4/text-to-image/api"}}, "components": {
"securitySchemes": {"apiKeyAuth": {"type": "apiKey", "in": "header", "name": "Authorization"}}, "schemas": {
"QueueStatus": {"type": "object", "properties": {"status": {"type": "string", "enum": ["IN_QUEUE", "IN_PROGRESS",
"COMPLETED"]}, "request_id": {"type": "string"}, "response_url": {"type": "string"}, "status_url": {"type": "string"},
"cancel_url": {"type": "string"}, "logs": {"type": "object", "additionalProperties": true}, "metrics": {
"type": "object", "additionalProperties": true}, "queue_position": {"type": "integer"}}, "required": ["status",
"request_id"]}, "BytedanceSeedreamV4TextToImageInput": {"x-fal-order-properties": ["prompt", "image_size",
"num_images", "max_images", "seed", "sync_mode", "enable_safety_checker"], "type": "object", "properties": {
"prompt": {"title": "Prompt", "type": "string"}, "num_images": {"minimum": 1, "maximum": 6, "type": "integer",
"title": "Num Images", "default": 1}, "image_size": {"anyOf": [{"$ref": "#/components/schemas/ImageSize"}, {"enum": [
"square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9", "auto", "auto_2K",
"auto_4K"], "type": "string"}], "title": "Image Size",
"description": "sides from 1024 to 4096 (said in words only; the schema's own bound is 14142)", "default": {
"height": 2048, "width": 2048}}, "max_images": {"minimum": 1, "maximum": 6, "type": "integer", "title": "Max Images",
"default": 1}, "sync_mode": {"type": "boolean", "title": "Sync Mode", "default": false}, "enable_safety_checker": {
"title": "Enable Safety Checker", "type": "boolean", "default": true}, "seed": {"type": "integer", "title": "Seed"}},
"title": "SeedDream4T2IInput", "required": ["prompt"]}, "BytedanceSeedreamV4TextToImageOutput": {
"x-fal-order-properties": ["images", "seed"], "type": "object", "properties": {"images": {"title": "Images",
"type": "array", "items": {"$ref": "#/components/schemas/Image"}}, "seed": {"title": "Seed", "type": "integer"}},
"title": "SeedDream4T2IOutput", "required": ["images", "seed"]}, "ImageSize": {"title": "ImageSize",
"x-fal-order-properties": ["width", "height"], "properties": {"height": {"title": "Height", "exclusiveMinimum": 0,
"type": "integer", "maximum": 14142, "default": 512}, "width": {"title": "Width", "exclusiveMinimum": 0,
"type": "integer", "maximum": 14142, "default": 512}}, "type": "object"}, "Image": {"x-fal-order-properties": ["url",
"content_type", "file_name", "file_size", "file_data", "width", "height"], "type": "object", "title": "Image",
"properties": {"file_size": {"title": "File Size", "type": "integer"}, "height": {"title": "Height",
"type": "integer"}, "url": {"type": "string", "title": "Url"}, "width": {"title": "Width", "type": "integer"},
"file_name": {"title": "File Name", "type": "string"}, "content_type": {"title": "Content Type", "type": "string"},
"file_data": {"format": "binary", "type": "string", "title": "File Data"}}, "required": ["url"]}}}, "paths": {
"/fal-ai/bytedance/seedream/v4/text-to-image/requests/{request_id}/status": {"get": {"parameters": [{
"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}, {"name": "logs", "in": "query",
"required": false, "schema": {"type": "number"}}], "responses": {"200": {"content": {"application/json": {"schema": {
"$ref": "#/components/schemas/QueueStatus"}}}}}}},
"/fal-ai/bytedance/seedream/v4/text-to-image/requests/{request_id}/cancel": {"put": {"parameters": [{
"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {
"content": {"application/json": {"schema": {"type": "object", "properties": {"success": {"type": "boolean"}}}}}}}}},
"/fal-ai/bytedance/seedream/v4/text-to-image": {"post": {"requestBody": {"required": true, "content": {
"application/json": {"schema": {"$ref": "#/components/schemas/BytedanceSeedreamV4TextToImageInput"}}}}, "responses": {
"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/QueueStatus"}}}}}}},
"/fal-ai/bytedance/seedream/v4/text-to-image/requests/{request_id}": {"get": {"parameters": [{"name": "request_id",
"in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"content": {
"application/json": {"schema": {"$ref": "#/components/schemas/BytedanceSeedreamV4TextToImageOutput"}}}}}}}},
"servers": [{"url": "https://queue.fal.run"}], "security": [{"apiKeyAuth": []}]},
"fal-ai/kling-video/v2.1/standard/image-to-video": {"openapi": "3.0.4", "info": {
"title": "Queue OpenAPI for fal-ai/kling-video/v2.1/standard/image-to-video", "version": "1.0.0", "x-fal-metadata": {
"endpointId": "fal-ai/kling-video/v2.1/standard/image-to-video", "category": "image-to-video",
"playgroundUrl": "https://fal.ai/models/fal-ai/kling-video/v2.1/standard/image-to-video",
"documentationUrl": "https://fal.ai/models/fal-ai/kling-video/v2.1/standard/image-to-video/api"}}, "components": {
"securitySchemes": {"apiKeyAuth": {"type": "apiKey", "in": "header", "name": "Authorization"}}, "schemas": {
"QueueStatus": {"type": "object", "properties": {"status": {"type": "string", "enum": ["IN_QUEUE", "IN_PROGRESS",
"COMPLETED"]}, "request_id": {"type": "string"}, "response_url": {"type": "string"}, "status_url": {"type": "string"},
"cancel_url": {"type": "string"}, "logs": {"type": "object", "additionalProperties": true}, "metrics": {
"type": "object", "additionalProperties": true}, "queue_position": {"type": "integer"}}, "required": ["status",
"request_id"]}, "KlingVideoV21StandardImageToVideoInput": {"type": "object",
"title": "ImageToVideoV21StandardRequest", "properties": {"prompt": {"type": "string", "title": "Prompt",
"maxLength": 2500}, "image_url": {"type": "string", "title": "Image Url"}, "duration": {"type": "string", "enum": [
"5", "10"], "title": "Duration", "default": "5"}, "cfg_scale": {"maximum": 1, "title": "Cfg Scale", "type": "number",
"minimum": 0, "default": 0.5}, "negative_prompt": {"type": "string", "title": "Negative Prompt", "maxLength": 2500,
"default": "blur, distort, and low quality"}}, "required": ["prompt", "image_url"], "x-fal-order-properties": [
"prompt", "image_url", "duration", "negative_prompt", "cfg_scale"]}, "KlingVideoV21StandardImageToVideoOutput": {
"type": "object", "title": "ImageToVideoV21StandardOutput", "properties": {"video": {
"$ref": "#/components/schemas/File"}}, "required": ["video"], "x-fal-order-properties": ["video"]}, "File": {
"type": "object", "title": "File", "properties": {"content_type": {"anyOf": [{"type": "string"}, {"type": "null"}],
"title": "Content Type"}, "file_size": {"title": "File Size", "anyOf": [{"type": "integer"}, {"type": "null"}]},
"url": {"type": "string", "title": "Url"}, "file_name": {"anyOf": [{"type": "string"}, {"type": "null"}],
"title": "File Name"}}, "required": ["url"], "x-fal-order-properties": ["url", "content_type", "file_name",
"file_size"]}}}, "paths": {"/fal-ai/kling-video/v2.1/standard/image-to-video/requests/{request_id}/status": {"get": {
"parameters": [{"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}, {"name": "logs",
"in": "query", "required": false, "schema": {"type": "number"}}], "responses": {"200": {"content": {
"application/json": {"schema": {"$ref": "#/components/schemas/QueueStatus"}}}}}}},
"/fal-ai/kling-video/v2.1/standard/image-to-video/requests/{request_id}/cancel": {"put": {"parameters": [{
"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {
"content": {"application/json": {"schema": {"type": "object", "properties": {"success": {"type": "boolean"}}}}}}}}},
"/fal-ai/kling-video/v2.1/standard/image-to-video": {"post": {"requestBody": {"required": true, "content": {
"application/json": {"schema": {"$ref": "#/components/schemas/KlingVideoV21StandardImageToVideoInput"}}}},
"responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/QueueStatus"}}}}}}},
"/fal-ai/kling-video/v2.1/standard/image-to-video/requests/{request_id}": {"get": {"parameters": [{
"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {
"content": {"application/json": {"schema": {
"$ref": "#/components/schemas/KlingVideoV21StandardImageToVideoOutput"}}}}}}}}, "servers": [{
"url": "https://queue.fal.run"}], "security": [{"apiKeyAuth": []}]},
"fal-ai/kling-video/v3/pro/image-to-video": {"openapi": "3.0.4", "info": {
"title": "Queue OpenAPI for fal-ai/kling-video/v3/pro/image-to-video", "version": "1.0.0", "x-fal-metadata": {
"endpointId": "fal-ai/kling-video/v3/pro/image-to-video", "category": "image-to-video",
"playgroundUrl": "https://fal.ai/models/fal-ai/kling-video/v3/pro/image-to-video",
"documentationUrl": "https://fal.ai/models/fal-ai/kling-video/v3/pro/image-to-video/api"}}, "components": {
"securitySchemes": {"apiKeyAuth": {"type": "apiKey", "in": "header", "name": "Authorization"}}, "schemas": {
"QueueStatus": {"type": "object", "properties": {"status": {"type": "string", "enum": ["IN_QUEUE", "IN_PROGRESS",
"COMPLETED"]}, "request_id": {"type": "string"}, "response_url": {"type": "string"}, "status_url": {"type": "string"},
"cancel_url": {"type": "string"}, "logs": {"type": "object", "additionalProperties": true}, "metrics": {
"type": "object", "additionalProperties": true}, "queue_position": {"type": "integer"}}, "required": ["status",
"request_id"]}, "KlingVideoV3ProImageToVideoInput": {"type": "object", "title": "ImageToVideoV3ProRequest",
"required": ["start_image_url"], "properties": {"negative_prompt": {"type": "string",
"default": "blur, distort, and low quality", "title": "Negative Prompt", "maxLength": 2500}, "generate_audio": {
"type": "boolean", "title": "Generate Audio", "default": true}, "start_image_url": {"type": "string",
"title": "Start Image Url", "x-fal": {"min_aspect_ratio": 0.4, "max_aspect_ratio": 2.5, "min_height": 300,
"max_file_size": 10485760, "min_width": 300, "timeout": 20}}, "cfg_scale": {"type": "number", "title": "Cfg Scale",
"default": 0.5, "maximum": 1, "minimum": 0}, "prompt": {"title": "Prompt", "anyOf": [{"type": "string",
"maxLength": 2500}, {"type": "null"}]}, "shot_type": {"type": "string", "title": "Shot Type", "default": "customize",
"const": "customize"}, "multi_prompt": {"title": "Multi Prompt", "anyOf": [{"type": "array", "items": {
"$ref": "#/components/schemas/KlingV3MultiPromptElement"}}, {"type": "null"}]}, "end_image_url": {
"title": "End Image Url", "anyOf": [{"type": "string", "ui": {"field": "image"}, "x-fal": {"min_aspect_ratio": 0.4,
"max_aspect_ratio": 2.5, "min_height": 300, "max_file_size": 10485760, "min_width": 300, "timeout": 20}}, {
"type": "null"}]}, "duration": {"type": "string", "title": "Duration", "enum": ["3", "4", "5", "6", "7", "8", "9",
"10", "11", "12", "13", "14", "15"], "default": "5"}, "elements": {"title": "Elements", "anyOf": [{"type": "array",
"items": {"$ref": "#/components/schemas/KlingV3ComboElementInput"}}, {"type": "null"}]}}, "x-fal-order-properties": [
"prompt", "multi_prompt", "start_image_url", "duration", "generate_audio", "end_image_url", "elements", "shot_type",
"negative_prompt", "cfg_scale"]}, "KlingVideoV3ProImageToVideoOutput": {"type": "object",
"title": "ImageToVideoV3ProOutput", "required": ["video"], "properties": {"video": {
"$ref": "#/components/schemas/File"}}, "x-fal-order-properties": ["video"]}, "KlingV3MultiPromptElement": {
"type": "object", "title": "KlingV3MultiPromptElement", "required": ["prompt"], "properties": {"prompt": {
"type": "string", "title": "Prompt"}, "duration": {"type": "string", "title": "Duration", "enum": ["1", "2", "3", "4",
"5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15"], "default": "5"}}, "x-fal-order-properties": ["prompt",
"duration"]}, "KlingV3ComboElementInput": {"type": "object", "title": "KlingV3ComboElementInput", "properties": {
"reference_image_urls": {"title": "Reference Image Urls", "anyOf": [{"type": "array", "items": {"type": "string",
"_fal_ui_field": "image", "ui": {"field": "image"}, "x-fal": {"min_aspect_ratio": 0.4, "max_aspect_ratio": 2.5,
"min_height": 300, "max_file_size": 10485760, "min_width": 300, "timeout": 20}}}, {"type": "null"}]}, "video_url": {
"title": "Video Url", "anyOf": [{"type": "string", "ui": {"field": "video"}, "x-fal": {"min_width": 720,
"max_width": 2160, "min_height": 720, "max_fps": 60, "min_fps": 24, "timeout": 30, "max_file_size": 209715200,
"min_duration": 3, "max_duration": 10.05, "max_height": 2160}}, {"type": "null"}]}, "voice_id": {"title": "Voice Id",
"anyOf": [{"type": "string"}, {"type": "null"}]}, "frontal_image_url": {"title": "Frontal Image Url", "anyOf": [{
"type": "string", "ui": {"field": "image"}, "x-fal": {"min_aspect_ratio": 0.4, "max_aspect_ratio": 2.5,
"min_height": 300, "max_file_size": 10485760, "min_width": 300, "timeout": 20}}, {"type": "null"}]}},
"x-fal-order-properties": ["frontal_image_url", "reference_image_urls", "video_url", "voice_id"]}, "File": {
"type": "object", "title": "File", "required": ["url"], "properties": {"content_type": {"title": "Content Type",
"anyOf": [{"type": "string"}, {"type": "null"}]}, "file_size": {"title": "File Size", "anyOf": [{"type": "integer"}, {
"type": "null"}]}, "url": {"type": "string", "title": "Url"}, "file_name": {"title": "File Name", "anyOf": [{
"type": "string"}, {"type": "null"}]}}, "x-fal-order-properties": ["url", "content_type", "file_name",
"file_size"]}}}, "paths": {"/fal-ai/kling-video/v3/pro/image-to-video/requests/{request_id}/status": {"get": {
"parameters": [{"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}, {"name": "logs",
"in": "query", "required": false, "schema": {"type": "number"}}], "responses": {"200": {"content": {
"application/json": {"schema": {"$ref": "#/components/schemas/QueueStatus"}}}}}}},
"/fal-ai/kling-video/v3/pro/image-to-video/requests/{request_id}/cancel": {"put": {"parameters": [{
"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {
"content": {"application/json": {"schema": {"type": "object", "properties": {"success": {"type": "boolean"}}}}}}}}},
"/fal-ai/kling-video/v3/pro/image-to-video": {"post": {"requestBody": {"required": true, "content": {
"application/json": {"schema": {"$ref": "#/components/schemas/KlingVideoV3ProImageToVideoInput"}}}}, "responses": {
"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/QueueStatus"}}}}}}},
"/fal-ai/kling-video/v3/pro/image-to-video/requests/{request_id}": {"get": {"parameters": [{"name": "request_id",
"in": "path", "required": true, "schema": {"type": "string"}}], "responses": {"200": {"content": {
"application/json": {"schema": {"$ref": "#/components/schemas/KlingVideoV3ProImageToVideoOutput"}}}}}}}}, "servers": [
{"url": "https://queue.fal.run"}], "security": [{"apiKeyAuth": []}]},
"fal-ai/topaz/upscale/video": {"openapi": "3.0.4", "info": {"title": "Queue OpenAPI for fal-ai/topaz/upscale/video",
"version": "1.0.0", "x-fal-metadata": {"endpointId": "fal-ai/topaz/upscale/video", "category": "video-to-video",
"playgroundUrl": "https://fal.ai/models/fal-ai/topaz/upscale/video",
"documentationUrl": "https://fal.ai/models/fal-ai/topaz/upscale/video/api"}}, "components": {"securitySchemes": {
"apiKeyAuth": {"type": "apiKey", "in": "header", "name": "Authorization"}}, "schemas": {"QueueStatus": {
"type": "object", "properties": {"status": {"type": "string", "enum": ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]},
"request_id": {"type": "string"}, "response_url": {"type": "string"}, "status_url": {"type": "string"},
"cancel_url": {"type": "string"}, "logs": {"type": "object", "additionalProperties": true}, "metrics": {
"type": "object", "additionalProperties": true}, "queue_position": {"type": "integer"}}, "required": ["status",
"request_id"]}, "TopazUpscaleVideoInput": {"x-fal-order-properties": ["video_url", "upscale_factor", "target_fps",
"focus", "sharpen", "H264_output"], "type": "object", "properties": {"H264_output": {"title": "H264 Output",
"type": "boolean", "default": false}, "video_url": {"title": "Video Url", "type": "string"}, "upscale_factor": {
"minimum": 1, "maximum": 4, "type": "number", "title": "Upscale Factor", "default": 2}, "target_fps": {"minimum": 16,
"maximum": 60, "type": "integer", "title": "Target Fps"}, "focus": {"minimum": 0, "maximum": 1, "type": "number",
"title": "Focus", "default": 0.2}, "sharpen": {"minimum": 0, "maximum": 1, "type": "number", "title": "Sharpen",
"default": 0.6}}, "title": "VideoUpscaleRequest", "required": ["video_url"]}, "TopazUpscaleVideoOutput": {
"x-fal-order-properties": ["video"], "type": "object", "properties": {"video": {"title": "Video", "allOf": [{
"$ref": "#/components/schemas/File"}]}}, "title": "VideoUpscaleOutput", "required": ["video"]}, "File": {
"x-fal-order-properties": ["url", "content_type", "file_name", "file_size", "file_data"], "type": "object",
"properties": {"file_size": {"title": "File Size", "type": "integer"}, "file_name": {"title": "File Name",
"type": "string"}, "content_type": {"title": "Content Type", "type": "string"}, "url": {"title": "Url",
"type": "string"}, "file_data": {"format": "binary", "title": "File Data", "type": "string"}}, "title": "File",
"required": ["url"]}}}, "paths": {"/fal-ai/topaz/upscale/video/requests/{request_id}/status": {"get": {"parameters": [
{"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}, {"name": "logs", "in": "query",
"required": false, "schema": {"type": "number"}}], "responses": {"200": {"content": {"application/json": {"schema": {
"$ref": "#/components/schemas/QueueStatus"}}}}}}}, "/fal-ai/topaz/upscale/video/requests/{request_id}/cancel": {
"put": {"parameters": [{"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}],
"responses": {"200": {"content": {"application/json": {"schema": {"type": "object", "properties": {"success": {
"type": "boolean"}}}}}}}}}, "/fal-ai/topaz/upscale/video": {"post": {"requestBody": {"required": true, "content": {
"application/json": {"schema": {"$ref": "#/components/schemas/TopazUpscaleVideoInput"}}}}, "responses": {"200": {
"content": {"application/json": {"schema": {"$ref": "#/components/schemas/QueueStatus"}}}}}}},
"/fal-ai/topaz/upscale/video/requests/{request_id}": {"get": {"parameters": [{"name": "request_id", "in": "path",
"required": true, "schema": {"type": "string"}}], "responses": {"200": {"content": {"application/json": {"schema": {
"$ref": "#/components/schemas/TopazUpscaleVideoOutput"}}}}}}}}, "servers": [{"url": "https://queue.fal.run"}],
"security": [{"apiKeyAuth": []}]},
"fal-ai/playai/tts/v3": {"openapi": "3.0.4", "info": {"title": "Queue OpenAPI for fal-ai/playai/tts/v3",
"version": "1.0.0", "x-fal-metadata": {"endpointId": "fal-ai/playai/tts/v3", "category": "text-to-speech",
"playgroundUrl": "https://fal.ai/models/fal-ai/playai/tts/v3",
"documentationUrl": "https://fal.ai/models/fal-ai/playai/tts/v3/api"}}, "components": {"securitySchemes": {
"apiKeyAuth": {"type": "apiKey", "in": "header", "name": "Authorization"}}, "schemas": {"QueueStatus": {
"type": "object", "properties": {"status": {"type": "string", "enum": ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]},
"request_id": {"type": "string"}, "response_url": {"type": "string"}, "status_url": {"type": "string"},
"cancel_url": {"type": "string"}, "logs": {"type": "object", "additionalProperties": true}, "metrics": {
"type": "object", "additionalProperties": true}, "queue_position": {"type": "integer"}}, "required": ["status",
"request_id"]}, "PlayaiTtsV3Input": {"title": "V3TTSInput", "type": "object", "properties": {"response_format": {
"enum": ["url", "bytes"], "title": "Response Format", "type": "string", "default": "url"}, "input": {"title": "Input",
"type": "string", "minLength": 1}, "voice": {"examples": ["Jennifer (English (US)/American)",
"Dexter (English (US)/American)", "Ava (English (AU)/Australian)"], "title": "Voice", "type": "string"}, "seed": {
"examples": [null], "title": "Seed", "type": "integer", "minimum": 0}}, "x-fal-order-properties": ["input", "voice",
"response_format", "seed"], "required": ["voice", "input"]}, "PlayaiTtsV3Output": {"title": "V3TTSOutput",
"type": "object", "properties": {"audio": {"title": "Audio", "allOf": [{"$ref": "#/components/schemas/AudioFile"}]}},
"x-fal-order-properties": ["audio"], "required": ["audio"]}, "AudioFile": {"title": "AudioFile", "type": "object",
"properties": {"file_size": {"title": "File Size", "type": "integer"}, "duration": {"title": "Duration",
"type": "number"}, "file_name": {"title": "File Name", "type": "string"}, "content_type": {"title": "Content Type",
"type": "string"}, "url": {"title": "Url", "type": "string"}, "file_data": {"format": "binary", "title": "File Data",
"type": "string"}}, "x-fal-order-properties": ["url", "content_type", "file_name", "file_size", "file_data",
"duration"], "required": ["url", "duration"]}}}, "paths": {"/fal-ai/playai/tts/v3/requests/{request_id}/status": {
"get": {"parameters": [{"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}, {
"name": "logs", "in": "query", "required": false, "schema": {"type": "number"}}], "responses": {"200": {"content": {
"application/json": {"schema": {"$ref": "#/components/schemas/QueueStatus"}}}}}}},
"/fal-ai/playai/tts/v3/requests/{request_id}/cancel": {"put": {"parameters": [{"name": "request_id", "in": "path",
"required": true, "schema": {"type": "string"}}], "responses": {"200": {"content": {"application/json": {"schema": {
"type": "object", "properties": {"success": {"type": "boolean"}}}}}}}}}, "/fal-ai/playai/tts/v3": {"post": {
"requestBody": {"required": true, "content": {"application/json": {"schema": {
"$ref": "#/components/schemas/PlayaiTtsV3Input"}}}}, "responses": {"200": {"content": {"application/json": {
"schema": {"$ref": "#/components/schemas/QueueStatus"}}}}}}}, "/fal-ai/playai/tts/v3/requests/{request_id}": {"get": {
"parameters": [{"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {
"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/PlayaiTtsV3Output"}}}}}}}},
"servers": [{"url": "https://queue.fal.run"}], "security": [{"apiKeyAuth": []}]},
"fal-ai/flux-lora": {"openapi": "3.0.4", "info": {"title": "Queue OpenAPI for fal-ai/flux-lora", "version": "1.0.0",
"x-fal-metadata": {"endpointId": "fal-ai/flux-lora", "category": "text-to-image",
"playgroundUrl": "https://fal.ai/models/fal-ai/flux-lora",
"documentationUrl": "https://fal.ai/models/fal-ai/flux-lora/api"}}, "components": {"securitySchemes": {"apiKeyAuth": {
"type": "apiKey", "in": "header", "name": "Authorization"}}, "schemas": {"QueueStatus": {"type": "object",
"properties": {"status": {"type": "string", "enum": ["IN_QUEUE", "IN_PROGRESS", "COMPLETED"]}, "request_id": {
"type": "string"}, "response_url": {"type": "string"}, "status_url": {"type": "string"}, "cancel_url": {
"type": "string"}, "logs": {"type": "object", "additionalProperties": true}, "metrics": {"type": "object",
"additionalProperties": true}, "queue_position": {"type": "integer"}}, "required": ["status", "request_id"]},
"FluxLoraInput": {"title": "TextToImageInput", "type": "object", "required": ["prompt"], "x-fal-order-properties": [
"prompt", "image_size", "num_inference_steps", "seed", "loras", "guidance_scale", "sync_mode", "num_images",
"enable_safety_checker", "output_format", "acceleration"], "properties": {"prompt": {"title": "Prompt",
"type": "string"}, "image_size": {"anyOf": [{"$ref": "#/components/schemas/ImageSize"}, {"enum": ["square_hd",
"square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"], "type": "string"}],
"title": "Image Size", "default": "landscape_4_3"}, "num_inference_steps": {"title": "Num Inference Steps",
"type": "integer", "maximum": 50, "minimum": 1, "default": 28}, "seed": {"title": "Seed", "type": "integer"},
"loras": {"title": "Loras", "type": "array", "items": {"$ref": "#/components/schemas/LoraWeight"}, "default": []},
"guidance_scale": {"title": "Guidance scale (CFG)", "type": "number", "maximum": 35, "minimum": 0, "default": 3.5},
"sync_mode": {"title": "Sync Mode", "type": "boolean", "default": false}, "num_images": {"title": "Num Images",
"type": "integer", "maximum": 4, "minimum": 1, "default": 1}, "enable_safety_checker": {
"title": "Enable Safety Checker", "type": "boolean", "default": true}, "output_format": {"enum": ["jpeg", "png"],
"title": "Output Format", "type": "string", "default": "jpeg"}, "acceleration": {"enum": ["none", "regular"],
"title": "Acceleration", "type": "string", "default": "none"}}}, "LoraWeight": {"title": "LoraWeight",
"type": "object", "required": ["path"], "x-fal-order-properties": ["path", "scale"], "properties": {"path": {
"title": "Path", "type": "string"}, "scale": {"title": "Scale", "type": "number", "maximum": 4, "minimum": 0,
"default": 1}}}, "FluxLoraOutput": {"title": "Output", "x-fal-order-properties": ["images", "timings", "seed",
"has_nsfw_concepts", "prompt"], "properties": {"timings": {"title": "Timings", "additionalProperties": {
"type": "number"}, "type": "object"}, "seed": {"title": "Seed", "type": "integer"}, "prompt": {"title": "Prompt",
"type": "string"}, "images": {"title": "Images", "type": "array", "items": {"$ref": "#/components/schemas/Image"}},
"has_nsfw_concepts": {"title": "Has Nsfw Concepts", "type": "array", "items": {"type": "boolean"}}}, "type": "object",
"required": ["images", "timings", "seed", "has_nsfw_concepts", "prompt"]}, "ImageSize": {"title": "ImageSize",
"x-fal-order-properties": ["width", "height"], "properties": {"height": {"title": "Height", "exclusiveMinimum": 0,
"type": "integer", "maximum": 14142, "default": 512}, "width": {"title": "Width", "exclusiveMinimum": 0,
"type": "integer", "maximum": 14142, "default": 512}}, "type": "object"}, "Image": {"title": "Image",
"x-fal-order-properties": ["url", "width", "height", "content_type"], "properties": {"height": {"title": "Height",
"type": "integer"}, "url": {"title": "Url", "type": "string"}, "content_type": {"anyOf": [{"type": "string"}, {
"type": "null"}], "title": "Content Type", "default": "image/jpeg"}, "width": {"title": "Width", "type": "integer"}},
"type": "object", "required": ["url", "width", "height"]}}}, "paths": {
"/fal-ai/flux-lora/requests/{request_id}/status": {"get": {"parameters": [{"name": "request_id", "in": "path",
"required": true, "schema": {"type": "string"}}, {"name": "logs", "in": "query", "required": false, "schema": {
"type": "number"}}], "responses": {"200": {"content": {"application/json": {"schema": {
"$ref": "#/components/schemas/QueueStatus"}}}}}}}, "/fal-ai/flux-lora/requests/{request_id}/cancel": {"put": {
"parameters": [{"name": "request_id", "in": "path", "required": true, "schema": {"type": "string"}}], "responses": {
"200": {"content": {"application/json": {"schema": {"type": "object", "properties": {"success": {
"type": "boolean"}}}}}}}}}, "/fal-ai/flux-lora": {"post": {"requestBody": {"required": true, "content": {
"application/json": {"schema": {"$ref": "#/components/schemas/FluxLoraInput"}}}}, "responses": {"200": {"content": {
"application/json": {"schema": {"$ref": "#/components/schemas/QueueStatus"}}}}}}},
"/fal-ai/flux-lora/requests/{request_id}": {"get": {"parameters": [{"name": "request_id", "in": "path",
"required": true, "schema": {"type": "string"}}], "responses": {"200": {"content": {"application/json": {"schema": {
"$ref": "#/components/schemas/FluxLoraOutput"}}}}}}}}, "servers": [{"url": "https://queue.fal.run"}], "security": [{
"apiKeyAuth": []}]}
}]==],
  -- GET /v1/models/pricing
  prices = cjson.decode [==[[
{"endpoint_id": "fal-ai/flux/dev", "unit_price": 0.025, "unit": "megapixels", "currency": "USD"},
{"endpoint_id": "fal-ai/flux/schnell", "unit_price": 0.003, "unit": "megapixels", "currency": "USD"},
{"endpoint_id": "fal-ai/nano-banana-pro", "unit_price": 0.15, "unit": "images", "currency": "USD"},
{"endpoint_id": "fal-ai/ideogram/v3", "unit_price": 0.03, "unit": "images", "currency": "USD"},
{"endpoint_id": "openai/gpt-image-2", "unit_price": 1, "unit": "units", "currency": "USD"},
{"endpoint_id": "fal-ai/esrgan", "unit_price": 0.00111, "unit": "compute seconds", "currency": "USD"},
{"endpoint_id": "fal-ai/bria/background/remove", "unit_price": 0.018, "unit": "generations", "currency": "USD"},
{"endpoint_id": "fal-ai/veo3.1", "unit_price": 0.4, "unit": "seconds", "currency": "USD"},
{"endpoint_id": "bytedance/seedance-2.0/text-to-video", "unit_price": 0.014, "unit": "units", "currency": "USD"},
{"endpoint_id": "fal-ai/kling-video/v2.5-turbo/pro/text-to-video", "unit_price": 0.07, "unit": "seconds",
"currency": "USD"},
{"endpoint_id": "fal-ai/pixverse/v5/text-to-video", "unit_price": 0.05, "unit": "video segments", "currency": "USD"},
{"endpoint_id": "fal-ai/ltx-video-13b-distilled", "unit_price": 0.04, "unit": "videos", "currency": "USD"},
{"endpoint_id": "fal-ai/pika/v2.2/pikaframes", "unit_price": 0.04, "unit": "seconds", "currency": "USD"}
]]==],
}
