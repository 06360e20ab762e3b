-- hf_documents.lua - what Hugging Face publishes of models, of who serves them, and of chat models' prices: documented rows.
--
-- Data only; lua/sim/hf_directory.lua serves it.
local cjson = require "cjson"

return {
  -- GET /api/models with expand[]=inferenceProviderMapping
  models = cjson.decode [==[[
{"_id": "66aaa908fc35e079a941470d", "id": "black-forest-labs/FLUX.1-dev", "pipeline_tag": "text-to-image",
"inferenceProviderMapping": [{"provider": "fal-ai", "providerId": "fal-ai/flux/dev", "status": "live",
"task": "text-to-image", "type": "single-model"}, {"provider": "replicate",
"providerId": "black-forest-labs/flux-dev", "status": "live", "task": "text-to-image", "type": "single-model"}]},
{"_id": "66aabb6a8e0ba1e8ad3f6a40", "id": "black-forest-labs/FLUX.1-schnell", "pipeline_tag": "text-to-image",
"inferenceProviderMapping": [{"provider": "fal-ai", "providerId": "fal-ai/flux/schnell", "status": "live",
"task": "text-to-image", "type": "single-model"}]}
]]==],
  -- GET /api/models/{id}, whose mapping is an object
  served = cjson.decode [==[[
{"_id": "67c35b9bb236f0d365bf29d3", "id": "google/gemma-3-27b-it", "inferenceProviderMapping": {"featherless-ai": {
"status": "live", "providerId": "google/gemma-3-27b-it", "task": "conversational", "isModelAuthor": false},
"scaleway": {"status": "live", "providerId": "gemma-3-27b-it", "task": "conversational", "isModelAuthor": false}}}
]]==],
  -- GET /api/partners/fal-ai/models
  partners = cjson.decode [==[{
"text-to-image": {"black-forest-labs/FLUX.1-Canny-dev": {"_id": "64f0000000000000000000aa",
"providerId": "black-forest-labs/FLUX.1-canny", "status": "live"},
"tag-filter=base_model:adapter:stabilityai/stable-diffusion-xl-base-1.0,lora": {"_id": "64f0000000000000000000ab",
"status": "live", "providerId": "sdxl-lora-mutualized", "adapterType": "lora", "tags": [
"base_model:adapter:stabilityai/stable-diffusion-xl-base-1.0", "lora"]}},
"conversational": {"deepseek-ai/DeepSeek-R1": {"_id": "64f0000000000000000000ac",
"providerId": "deepseek-ai/DeepSeek-R1", "status": "live"}}
}]==],
  -- GET /v1/models of the router
  chat = cjson.decode [==[[
{"id": "deepseek-ai/DeepSeek-V4-Pro", "object": "model", "created": 1776837885, "owned_by": "deepseek-ai",
"architecture": {"input_modalities": ["text"], "output_modalities": ["text"]}, "providers": [{"provider": "novita",
"status": "live", "context_length": 1048576, "pricing": {"input": 1.69, "output": 3.38}, "supports_tools": true,
"supports_structured_output": false, "first_token_latency_ms": 1490, "throughput": 24.69124008437934,
"is_model_author": false}, {"provider": "featherless-ai", "status": "live", "is_model_author": false}]}
]]==],
}
