-- stability.lua - Stability AI for the simulator: synchronous image services, two asynchronous ones, the balance.
local crypto = require "crypto"
local directory = require "sim.stability_directory"
local media = require "sim.media"
local sim = require "sim.core"

local API = "api.stability.ai"
local RATIOS = { ["16:9"] = { 1344, 768 }, ["1:1"] = { 1024, 1024 }, ["21:9"] = { 1536, 640 }, ["2:3"] = { 832, 1216 },
  ["3:2"] = { 1216, 832 }, ["4:5"] = { 896, 1088 }, ["5:4"] = { 1088, 896 }, ["9:16"] = { 768, 1344 }, ["9:21"] = { 640, 1536 } }
local MODELS = { ["sd3.5-large"] = 6.5, ["sd3.5-large-turbo"] = 4, ["sd3.5-medium"] = 3.5, ["sd3.5-flash"] = 2.5 }
local STYLES = sim.set("enhance", "anime", "photographic", "digital-art", "comic-book", "fantasy-art", "line-art", "analog-film",
  "neon-punk", "isometric", "low-poly", "origami", "modeling-compound", "cinematic", "3d-model", "pixel-art", "tile-texture")
-- credits, required fields, whether it is asynchronous
local SERVICES = {
  ["generate/ultra"] = { 8, { "prompt" } }, ["generate/core"] = { 3, { "prompt" } }, ["generate/sd3"] = { 6.5, { "prompt" } },
  ["edit/erase"] = { 5, { "image" } }, ["edit/inpaint"] = { 5, { "image", "prompt" } }, ["edit/outpaint"] = { 4, { "image" } },
  ["edit/search-and-replace"] = { 5, { "image", "prompt", "search_prompt" } },
  ["edit/search-and-recolor"] = { 5, { "image", "prompt", "select_prompt" } }, ["edit/remove-background"] = { 5, { "image" } },
  ["edit/replace-background-and-relight"] = { 8, { "subject_image" }, true }, ["control/sketch"] = { 5, { "image", "prompt" } },
  ["control/structure"] = { 5, { "image", "prompt" } }, ["control/style"] = { 5, { "image", "prompt" } },
  ["control/style-transfer"] = { 8, { "init_image", "style_image" } }, ["upscale/fast"] = { 2, { "image" } },
  ["upscale/conservative"] = { 40, { "image", "prompt" } }, ["upscale/creative"] = { 60, { "image", "prompt" }, true },
}
local FILES = sim.set("image", "mask", "subject_image", "init_image", "style_image", "background_reference")

local function refuse(status, name, ...)
  return sim.json(status, { id = sim.hash("request", sim.next()):sub(1, 32), name = name, errors = sim.array { ... } })
end

-- Checks -------------------------------------------------------------------------------------------------------------------

local function check_number(fields, name, low, high, errors)
  local part = fields[name]
  local value = part and tonumber(part.value)
  if part and (not value or value < low or value > high) then
    errors[#errors + 1] = ("%s: must be a number between %s and %s"):format(name, low, high)
  end
end

local function check_choices(path, fields, errors)
  local function value(name) return fields[name] and fields[name].value end
  if value("aspect_ratio") and not RATIOS[value("aspect_ratio")] then
    errors[#errors + 1] = "aspect_ratio: must be one of 16:9, 1:1, 21:9, 2:3, 3:2, 4:5, 5:4, 9:16, 9:21"
  end
  local format, no_jpeg = value("output_format"), path == "edit/remove-background"
  if format and format ~= "png" and format ~= "webp" and (format ~= "jpeg" or no_jpeg) then
    errors[#errors + 1] = "output_format: must be one of " .. (no_jpeg and "png, webp" or "jpeg, png, webp")
  end
  if value("style_preset") and not STYLES[value("style_preset")] then
    errors[#errors + 1] = "style_preset: is not a known preset"
  end
  if path == "generate/sd3" and value("model") and not MODELS[value("model")] then
    errors[#errors + 1] = "model: must be one of sd3.5-large, sd3.5-large-turbo, sd3.5-medium, sd3.5-flash"
  end
end

local function check_combinations(path, fields, errors)
  local mode = fields.mode and fields.mode.value or "text-to-image"
  if path == "generate/core" and fields.image then errors[#errors + 1] = "image: is not allowed" end
  if path == "generate/ultra" and fields.mode then errors[#errors + 1] = "mode: is not allowed" end
  if path == "generate/ultra" and fields.image and
    not fields.strength then errors[#errors + 1] = "strength: is required with image" end
  if path == "generate/sd3" then
    if mode ~= "text-to-image" and mode ~= "image-to-image" then
      errors[#errors + 1] = "mode: must be text-to-image or image-to-image"
    end
    if mode == "image-to-image" then
      if not fields.image then errors[#errors + 1] = "image: is required in image-to-image mode" end
      if not fields.strength then errors[#errors + 1] = "strength: is required in image-to-image mode" end
      if fields.aspect_ratio then errors[#errors + 1] = "aspect_ratio: is not allowed in image-to-image mode" end
    elseif fields.image then
      errors[#errors + 1] = "image: is only allowed in image-to-image mode"
    end
  end
  if path == "edit/outpaint" then
    local sum = 0
    for _, side in ipairs { "left", "right", "up", "down" } do sum = sum + (fields[side] and tonumber(fields[side].value) or
      0) end
    if sum == 0 then errors[#errors + 1] = "left, right, up, down: at least one must be greater than 0" end
  end
end

local function check(request, path, service)
  local kind = request.headers["content-type"] or ""
  local fields, errors = request.fields, {}
  if #request.body > 10 * 1024 * 1024 then error(refuse(413, "payload_too_large",
    "body: payload cannot be larger than 10MiB in size")) end
  if not kind:match("^multipart/form%-data") or not request.form then
    error(refuse(400, "bad_request", "content-type: must be multipart/form-data"))
  end
  for _, name in ipairs(service[2]) do
    local part = fields[name]
    local empty = not part or (FILES[name] and not part.data) or (part.value == "" or part.data == "")
    if empty then errors[#errors + 1] = name .. ": is required" end
  end
  for _, name in ipairs { "prompt", "negative_prompt" } do
    if fields[name] and #(fields[name].value or "") > 10000 then errors[#errors + 1] = name ..
      ": must be at most 10000 characters" end
  end
  check_choices(path, fields, errors)
  check_combinations(path, fields, errors)
  check_number(fields, "seed", 0, 4294967294, errors)
  check_number(fields, "strength", 0, 1, errors)
  check_number(fields, "cfg_scale", 1, 10, errors)
  check_number(fields, "control_strength", 0, 1, errors)
  check_number(fields, "creativity", 0, 1, errors)
  if #errors > 0 then error(sim.json(400, { id = sim.hash("request", sim.next()):sub(1, 32), name = "bad_request",
    errors = errors })) end
end

-- Results ------------------------------------------------------------------------------------------------------------------

local function picture(job)
  local size = RATIOS[job.ratio] or RATIOS["1:1"]
  return media.file(job.format, job.id, size[1], size[2])
end

-- `field`: where JSON has the image.
local function finished(job, accept, field)
  local reason = job.moderated and "CONTENT_FILTERED" or "SUCCESS"
  local kind, id = media.type(job.format), sim.hash("answer", job.id):sub(1, 32)
  if not accept:find("^application/json") then
    return sim.bytes(200, kind, picture(job), { ["x-request-id"] = id, ["finish-reason"] = reason, seed = job.seed,
      ["content-disposition"] = ('attachment; filename="generation.%s"'):format(job.format) })
  end
  return sim.json(200, { [field] = crypto.base64(picture(job)), finish_reason = reason, seed = job.seed },
    { ["Content-Type"] = "application/json; type=" .. kind, ["x-request-id"] = id })
end

local function generate(request, arguments)
  local path = arguments.group .. "/" .. arguments.name
  local service = SERVICES[path]
  if not service then return refuse(404, "not_found", "path: there is no such service") end
  check(request, path, service)
  local fields = request.fields
  if request.fault == "moderated" and sim.chance("denied", sim.next()) < 0.5 then
    request.fault_used = true
    return refuse(403, "content_moderation",
      "Your request was flagged by our content moderation system, as a result your request was " ..
      "denied and you were not charged.")
  end
  local seed = fields.seed and math.tointeger(tonumber(fields.seed.value)) or 0
  local credits = path == "generate/sd3" and MODELS[fields.model and fields.model.value or "sd3.5-large"] or service[1]
  local job = sim.submit(request, { id = sim.hash("generation", sim.next()), cost_usd = credits / 100,
    format = fields.output_format and fields.output_format.value or "png", ratio = fields.aspect_ratio and
      fields.aspect_ratio.value })
  job.seed = seed ~= 0 and seed or tonumber(job.id:sub(1, 7), 16)
  job.asynchronous = service[3]
  if service[3] then return sim.json(200, { id = job.id }) end
  local answer = finished(job, request.headers.accept or "", "image")
  answer.delay_ms = job.never and 600000 or job.ends - request.now
  return answer
end

local function result(request, arguments)
  local job = sim.job("stability", arguments.id)
  if not job or not job.asynchronous then
    return refuse(404, "generation_not_found", "id: the generation either does not exist or has expired.")
  end
  if not sim.ended(job, request.now) then return sim.json(202, { id = job.id, status = "in-progress" }) end
  return finished(job, request.headers.accept or "", "result")
end

local function account(request)
  return sim.json(200, { id = "user-1234", email = "dev@example.com", organizations = { { id = "org-1234", name = "Example Org",
    role = "ADMIN", is_default = true } }, profile_picture = request.base .. "/" .. API .. "/p.png" })
end

local stability = {
  provider = "stability",
  hosts = { API, directory.host },
  bills = { moderated = true }, -- one that is filtered at the end was made
  auth = sim.authorization("Bearer", function(request)
    if not request.path:match("^/v1/") then return refuse(401, "unauthorized", "authorization: is invalid") end
    return sim.json(401, { id = sim.hash("request", sim.next()):sub(1, 32), name = "unauthorized",
      message = "missing authorization header" })
  end),
  faults = {
    ["429"] = function()
      return sim.json(429, { id = "rate_limit_exceeded", name = "rate_limit_exceeded",
        errors = { "You have exceeded the rate limit of " ..
        "150 requests within a 10 second period, and have been timed out for 60 seconds." } })
    end,
    ["5xx"] = function() return refuse(500, "internal_error",
      "An unexpected server error has occurred, please try again later.") end,
    out_of_credit = function()
      return refuse(402, "payment_required",
        "You lack sufficient credits to make this request. Please purchase more credits at " ..
        "https://platform.stability.ai/account/credits and try again.")
    end,
  },
  missing = function() return refuse(404, "not_found", "path: not found") end,
  routes = {
    { "POST", "/v2beta/stable-image/{group}/{name}", generate },
    { "GET", "/v2beta/results/{id}", result },
    { "GET", "/v1/user/balance", function() return sim.json(200, { credits = 636.5 }) end },
    { "GET", "/v1/user/account", account },
  },
}
for _, route in ipairs(directory.routes) do table.insert(stability.routes, route) end

return stability
