-- Every page of Studio, as the specs of all pages go through them.
--
--   for _, route in ipairs(routes(scene)) do page:go(route.hash) ... end
--
-- hash; title: the beginning of document.title; name: of a picture. Without a scene only those that need no job.
local function add_jobs(list, scene)
  for _, name in ipairs { "done", "unknown", "running", "queued", "error", "canceled", "dry", "lost", "outputs" } do
    list[#list + 1] = { hash = "#/jobs/" .. scene.jobs[name], title = "Job", name = "job-" .. name }
  end
  for _, name in ipairs { "done", "video", "sound", "outputs" } do
    list[#list + 1] = { hash = ("#/gallery/%s/0"):format(scene.jobs[name]), title = "Gallery", name = "gallery-" .. name }
  end
  list[#list + 1] = { hash = "#/make/image/fal?from=" .. scene.jobs.done, title = "Make", name = "make-again" }
  list[#list + 1] = { hash = "#/hooks/" .. scene.hooks.parked, title = "Webhooks", name = "hook-parked" }
end

local PAGES = {
  { "#/", "Overview" }, { "#/make", "Make" }, { "#/make/image/fal", "Make" }, { "#/make/video/runway", "Make" },
  { "#/make/gpu/replicate", "Make" }, { "#/jobs", "Jobs" }, { "#/jobs?status=unknown", "Jobs" }, { "#/gallery", "Gallery" },
  { "#/gallery?type=video", "Gallery" }, { "#/providers", "Providers" }, { "#/providers/fal", "Providers" },
  { "#/providers/modal", "Providers" }, { "#/money", "Money" }, { "#/money?days=7&by=provider", "Money" },
  { "#/hooks", "Webhooks" }, { "#/host", "Host" }, { "#/host?tab=scripts", "Host" }, { "#/host?tab=log", "Host" },
  { "#/host?tab=events", "Host" }, { "#/host?tab=api", "Host" }, { "#/login", "Log in" }, { "#/nowhere", "No such page" },
}

return function(scene)
  local list = {}
  for i, page in ipairs(PAGES) do
    local name = page[1]:gsub("[^%w]+", "-"):gsub("^%-", ""):gsub("%-$", "")
    list[i] = { hash = page[1], title = page[2], name = name == "" and "overview" or name }
  end
  if scene then add_jobs(list, scene) end
  return list
end
