-- Submits dry runs as fast as they are answered until its file is gone, and prints their job ids. Specs start it in the
-- background, so that events flow by themselves: lua5.4 spec/support/submitter.lua PORT FILE
package.path = "./?.lua;" .. package.path
local http = require "spec.support.http"

local port, file = tonumber(arg[1]), arg[2]
local PATHS = {
  "/api/providers/image/fal/submit", "/api/providers/video/luma/submit", "/api/providers/image/stability/submit",
}

local function wanted()
  local handle = io.open(file)
  if handle then handle:close() end
  return handle ~= nil
end

local function run()
  local client = http.connect(port)
  for i = 1, 900 do -- then on another connection
    if not wanted() then return false end
    local answer = client:request("POST", PATHS[i % #PATHS + 1], { prompt = "a lighthouse" })
    if answer.status == 200 then print(answer.json.job_id) end
  end
  client:close()
  return true
end

io.stdout:setvbuf("line")
while run() do end
