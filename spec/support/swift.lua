-- Debian's Swift with its S3 API, as another server that checks signatures: one of each of its four servers, on loopback, in a
-- folder of its own. The packages swift-proxy, swift-account, swift-container and swift-object are not installed by the suite.
--
--   local swift, missing = Swift.start()        -- nil and why
--   swift.endpoint, Swift.KEY, Swift.SECRET
--   swift:remove()
local shell = require "spec.support.shell"
local socket = require "socket"

local Swift = {}
Swift.__index = Swift

Swift.KEY, Swift.SECRET, Swift.REGION = "test:tester", "testing", "us-east-1"

local UP_SECONDS = 60

local SWIFT = "[swift-hash]\nswift_hash_path_suffix = spec\nswift_hash_path_prefix = spec\n"

local PROXY = [[
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = PORT
workers = 0
swift_dir = FOLDER
user = USER
log_name = proxy
[pipeline:main]
pipeline = catch_errors kept s3api tempauth slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:kept]
paste.filter_factory = spec_kept:filter_factory
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing .admin
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:slo]
use = egg:swift#slo
]]

local STORAGE = [[
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = PORT
workers = 0
swift_dir = FOLDER
devices = FOLDER/nodes
mount_check = false
user = USER
log_name = KIND
[pipeline:main]
pipeline = KIND-server
[app:KIND-server]
use = egg:swift#KIND
]]

-- In the place of memcached: one process needs none.
local KEPT = [[
class Kept(object):
    def __init__(self):
        self.all = {}
    def get(self, key, **rest):
        return self.all.get(key)
    def set(self, key, value, **rest):
        self.all[key] = value
    def delete(self, key, **rest):
        self.all.pop(key, None)
    def incr(self, key, delta=1, **rest):
        self.all[key] = int(self.all.get(key) or 0) + delta
        return self.all[key]
    def decr(self, key, delta=1, **rest):
        return self.incr(key, -delta)
    def set_multi(self, mapping, key, **rest):
        for name, value in mapping.items():
            self.all[(key, name)] = value
    def get_multi(self, names, key, **rest):
        return [self.all.get((key, name)) for name in names]
def filter_factory(conf, **local):
    kept = Kept()
    def wrap(app):
        def handle(env, start):
            env['swift.cache'] = kept
            return app(env, start)
        return handle
    return wrap
]]

local function write(path, text)
  local file = assert(io.open(path, "w"))
  file:write(text)
  file:close()
end

local function free_port()
  local server = assert(socket.bind("127.0.0.1", 0))
  local _, port = server:getsockname()
  server:close()
  return math.tointeger(tonumber(port))
end

local function fill(text, values)
  return (text:gsub("%f[%w]%u%u%u%u+%f[%W]", function(name) return values[name] end))
end

local function make_ring(self, kind, port)
  local path = ("%s/%s"):format(self.folder, kind)
  for _, words in ipairs { "create 4 1 1", ("add r1z1-127.0.0.1:%d/one 1"):format(port), "rebalance" } do
    shell.run(("cd %s && swift-ring-builder %s.builder %s >/dev/null"):format(self.folder, path, words))
  end
end

local function launch(self, program, config)
  local command = "cd %s && PYTHONPATH=%s exec %s %s >>%s/log 2>&1 & echo $!"
  command = command:format(self.folder, self.folder, program, config, self.folder)
  local pipe = assert(io.popen(command))
  self.pids[#self.pids + 1] = pipe:read("l")
  pipe:close()
end

local function user()
  local pipe = assert(io.popen("id -un"))
  local name = pipe:read("l")
  pipe:close()
  return name
end

local function is_up(port)
  local client = socket.connect("127.0.0.1", port)
  if client then client:close() end
  return client ~= nil
end

function Swift.start()
  if os.execute("command -v swift-proxy-server >/dev/null 2>&1") ~= true then return nil, "Swift is not installed" end
  local self = setmetatable({ pids = {} }, Swift)
  local pipe = assert(io.popen("mktemp -d"))
  self.folder = pipe:read("l")
  pipe:close()
  shell.run("mkdir -p " .. self.folder .. "/nodes/one")
  write(self.folder .. "/swift.conf", SWIFT)
  write(self.folder .. "/spec_kept.py", KEPT)
  local values = { FOLDER = self.folder, USER = user() }
  for _, kind in ipairs { "account", "container", "object" } do
    values.KIND, values.PORT = kind, tostring(free_port())
    make_ring(self, kind, values.PORT)
    write(("%s/%s.conf"):format(self.folder, kind), fill(STORAGE, values))
    launch(self, "swift-" .. kind .. "-server", kind .. ".conf")
  end
  self.port = free_port()
  values.PORT = tostring(self.port)
  write(self.folder .. "/proxy.conf", fill(PROXY, values))
  launch(self, "swift-proxy-server", "proxy.conf")
  local deadline = socket.gettime() + UP_SECONDS
  while not is_up(self.port) and socket.gettime() < deadline do socket.sleep(0.1) end
  self.endpoint = "http://127.0.0.1:" .. self.port
  return self
end

function Swift:log()
  return shell.read(self.folder .. "/log")
end

function Swift:remove()
  for _, pid in ipairs(self.pids) do os.execute("kill " .. pid .. " 2>/dev/null") end
  shell.run("rm -rf " .. self.folder)
end

return Swift
