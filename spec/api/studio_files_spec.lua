-- The page's own files: what is served from studio/, how, and what keeps a broken folder from stopping the host.
local host = require "spec.support.host"
local shell = require "spec.support.shell"

local PAGE = "<!doctype html><title>x</title>"
local FILES = {
  ["index.html"] = PAGE, ["ui/main.js"] = "export const a = 1", ["ui/style.css"] = "a{}", ["ui/icons.svg"] = "<svg/>",
  ["ui/pages/make/form.js"] = "export {}", ["ui/base/empty.js"] = "",
}
local TYPES = {
  { "/", "index.html", "text/html; charset=utf-8" },
  { "/ui/main.js", "ui/main.js", "text/javascript; charset=utf-8" },
  { "/ui/style.css", "ui/style.css", "text/css; charset=utf-8" },
  { "/ui/icons.svg", "ui/icons.svg", "image/svg+xml" },
  { "/ui/pages/make/form.js", "ui/pages/make/form.js", "text/javascript; charset=utf-8" },
  { "/ui/base/empty.js", "ui/base/empty.js", "text/javascript; charset=utf-8" },
  { "/%75i/main.js", "ui/main.js", "text/javascript; charset=utf-8" },
}
local HEADERS = {
  ["content-security-policy"] = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    .. "media-src 'self' blob:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    .. "require-trusted-types-for 'script'",
  ["referrer-policy"] = "no-referrer",
  ["cross-origin-opener-policy"] = "same-origin",
  ["x-content-type-options"] = "nosniff",
  ["cache-control"] = "no-cache",
}
local KEY = "a-key-of-the-page-spec"
local NOT_THERE = {
  "/index.html", "/ui", "/ui/", "/ui/main.js/", "/ui/pages", "/ui/nothing.js", "/ui/.hidden.js", "/ui/readme.txt", "/main.js",
  "/ui/UI/main.js", "/ui/MAIN.js", "/ui/ui/main.js", "/studio/index.html", "/ui/out.js", "/ui/folder/main.js",
  "/ui/" .. ("x"):rep(200),
}
local REFUSED = { "/ui/../index.html", "/ui/..%2findex.html", "/ui/%2e%2e/index.html", "/ui//main.js", "/ui/main.js%00", "//" }

local function sha256(text)
  local file = os.tmpname()
  local out = assert(io.open(file, "wb"))
  out:write(text)
  out:close()
  local pipe = assert(io.popen("sha256sum " .. shell.quote(file)))
  local sum = pipe:read("a"):match("^%x+")
  pipe:close()
  os.remove(file)
  return sum
end
local KEY_SHA256 = sha256(KEY)

-- A host whose home has this studio/.
local function start(files, config)
  local home = {}
  for name, text in pairs(files) do home["studio/" .. name] = text end
  return host.start { files = home, config = config }
end

local function problems(served)
  return table.concat(served:get("/readyz").json.problems, "\n")
end

describe("the page's files", function()
  local served
  setup(function()
    served = start(FILES)
    served:write("studio/ui/.hidden.js", "x")
    served:write("studio/ui/readme.txt", "x")
  end)
  teardown(function() served:remove() end)

  for _, case in ipairs(TYPES) do
    it("are served at " .. case[1], function()
      local answer = served:get(case[1])
      assert.equal(200, answer.status)
      assert.equal(FILES[case[2]], answer.body)
      assert.equal(case[3], answer.headers["content-type"])
      assert.equal('"' .. sha256(FILES[case[2]]) .. '"', answer.headers.etag)
      for name, value in pairs(HEADERS) do assert.equal(value, answer.headers[name]) end
    end)
  end

  it("are not sent again to who has them", function()
    local etag = served:get("/ui/main.js").headers.etag
    for _, tags in ipairs { etag, "W/" .. etag, '"x", ' .. etag, "*" } do
      local answer = served:get("/ui/main.js", { ["If-None-Match"] = tags })
      assert.equal(304, answer.status)
      assert.equal("", answer.body)
      assert.equal(etag, answer.headers.etag)
      for name, value in pairs(HEADERS) do assert.equal(value, answer.headers[name]) end
    end
    assert.equal(200, served:get("/ui/main.js", { ["If-None-Match"] = '"x"' }).status)
  end)

  it("answer HEAD", function()
    local answer = served:request("HEAD", "/")
    assert.equal(200, answer.status)
    assert.equal(tostring(#PAGE), answer.headers["content-length"])
    assert.equal("", answer.body)
  end)

  it("answer no other method", function()
    for _, path in ipairs { "/", "/ui/main.js" } do
      local answer = served:post(path, {})
      assert.equal(405, answer.status)
      assert.equal("GET, HEAD", answer.headers.allow)
    end
  end)

  for _, path in ipairs(NOT_THERE) do
    it("have nothing at " .. path:sub(1, 40), function()
      local answer = served:get(path)
      assert.equal(404, answer.status)
      assert.equal("application/problem+json", answer.headers["content-type"])
    end)
  end

  for _, path in ipairs(REFUSED) do
    it("are not reached by " .. path, function() assert.equal(400, served:get(path).status) end)
  end

  it("are not shown under a foreign name", function()
    assert.equal(421, served:get("/", { Host = "evil.example" }).status)
    assert.equal(421, served:get("/ui/main.js", { Host = "evil.example" }).status)
  end)
end)

describe("the page", function()
  local served
  after_each(function()
    if served then served:remove() end
    served = nil
  end)

  it("comes with the program, for a home that has none", function()
    served = host.start {}
    assert.equal(200, served:get("/").status)
    assert.truthy(served:get("/").body:find("<title>", 1, true))
    assert.equal("", problems(served))
  end)

  it("needs no key, where all else does", function()
    served = start(FILES, { server = { api_keys = { { name = "a", sha256 = KEY_SHA256 } } } })
    assert.equal(200, served:get("/").status)
    assert.equal(200, served:get("/ui/main.js").status)
    assert.equal(404, served:get("/ui/nothing.js").status)
    assert.equal(401, served:get("/api/jobs/list").status)
    assert.equal(401, served:get("/uix").status)
    assert.equal(200, served:get("/api/jobs/list", { ["X-API-Key"] = KEY }).status)
  end)

  it("is not there while server.studio is off, and nothing is wrong then", function()
    served = host.start { files = { ["studio/ui/main.js"] = "1" }, config = { server = { studio = false } } }
    for _, path in ipairs { "/", "/ui/main.js" } do
      local answer = served:get(path)
      assert.equal(404, answer.status)
      assert.truthy(answer.json.detail:find("server.studio", 1, true))
    end
    assert.equal("", problems(served))
    served:write("studio/index.html", PAGE)
    served:write("config/comfyvn.json", '{"server":{"threads":16}}')
    served:eventually(function() return served:get("/").body == PAGE end)
    served:write("config/comfyvn.json", '{"server":{"threads":16,"studio":false}}')
    served:eventually(function() return served:get("/").status == 404 end)
  end)

  it("is shown as it was saved, in nested folders too, made later too", function()
    served = start(FILES)
    local etag = served:get("/ui/pages/make/form.js").headers.etag
    served:write("studio/ui/pages/make/form.js", "export const saved = 1")
    served:write("studio/ui/pages/jobs/new.js", "export const new_one = 1")
    served:eventually(function()
      local answer = served:get("/ui/pages/make/form.js", { ["If-None-Match"] = etag })
      return answer.status == 200 and answer.body == "export const saved = 1"
    end)
    served:eventually(function() return served:get("/ui/pages/jobs/new.js").body == "export const new_one = 1" end)
    served:delete("studio/ui/main.js")
    served:eventually(function() return served:get("/ui/main.js").status == 404 end)
  end)

  it("is seen within a second after it was saved four folders deep", function()
    served = start { ["index.html"] = PAGE, ["ui/a/b/c/d.js"] = "1" }
    local socket = require "socket"
    local slow = 0
    for i = 2, 6 do
      local began = socket.gettime()
      served:write("studio/ui/a/b/c/d.js", tostring(i))
      served:eventually(function() return served:get("/ui/a/b/c/d.js").body == tostring(i) end)
      if socket.gettime() - began > 1 then slow = slow + 1 end
    end
    assert.is_true(slow < 3)
  end)
end)

local BROKEN = {
  { "without an index", function(home) os.remove(home .. "/studio/index.html") end, "studio/index.html: is missing", "/" },
  { "with too many files", function(home)
    for i = 1, 64 do shell.run(("echo 1 > %s"):format(shell.quote(("%s/studio/ui/z%02d.js"):format(home, i)))) end
  end, "studio/: there are more than 64 files", "/ui/z64.js" },
  { "with a file that is too large", function(home)
    shell.run("head -c 262145 /dev/zero > " .. shell.quote(home .. "/studio/ui/large.js"))
  end, "studio/ui/large.js: larger than 262144 bytes", "/ui/large.js" },
  { "with a link out of it", function(home)
    shell.run("ln -s /etc/hostname " .. shell.quote(home .. "/studio/ui/out.js"))
  end, "studio/ui/out.js: a link must lead to a file in studio/", "/ui/out.js" },
  { "with a link to a folder out of it", function(home)
    shell.run("ln -s /etc " .. shell.quote(home .. "/studio/ui/out"))
  end, "studio/ui/out: a link must lead", "/ui/out/hostname" },
  { "with a link to itself", function(home)
    shell.run("ln -s . " .. shell.quote(home .. "/studio/ui/ui"))
  end, "studio/ui/ui: a link must lead", "/ui/ui/main.js" },
  { "with a link to nothing", function(home)
    shell.run("ln -s nothing.js " .. shell.quote(home .. "/studio/ui/dangling.js"))
  end, "studio/ui/dangling.js: a link must lead", "/ui/dangling.js" },
  { "with a link to a neighbour whose name begins like it", function(home)
    local quoted = shell.quote(home)
    shell.run(("mkdir %s/studio2 && echo 1 > %s/studio2/x.js"):format(quoted, quoted))
    shell.run(("ln -s ../../studio2/x.js %s/studio/ui/x.js"):format(quoted))
  end, "studio/ui/x.js: a link must lead", "/ui/x.js" },
  { "with folders that are too deep", function(home)
    local deep = shell.quote(home .. "/studio/ui/1/2/3/4")
    shell.run(("mkdir -p %s && echo 1 > %s/x.js"):format(deep, deep))
  end, "studio/ui/1/2/3/4: folders lie at most 4 deep", "/ui/1/2/3/4/x.js" },
  { "that is a file", function(home)
    local quoted = shell.quote(home .. "/studio")
    shell.run(("rm -rf %s && echo 1 > %s"):format(quoted, quoted))
  end, "studio/: cannot be read", "/" },
}

describe("a broken folder", function()
  for _, case in ipairs(BROKEN) do
    it(case[1] .. " is told, and stops nothing, at the start and later", function()
      local served = start { ["index.html"] = PAGE, ["ui/main.js"] = "1" }
      assert.equal("", problems(served))
      case[2](served.home)
      served:eventually(function() return problems(served):find(case[3], 1, true) end)
      served:stop()
      served:start_again()
      assert.truthy(problems(served):find(case[3], 1, true), problems(served))
      assert.equal(200, served:get("/readyz").status)
      assert.is_true(served:get("/readyz").json.ok)
      local told = served:get("/api/host").json.problems
      assert.equal(case[3]:match("^[^:]+"), told[1].file)
      assert.truthy(case[3]:find(told[1].message:sub(1, 10), 1, true))
      assert.equal(404, served:get(case[4]).status)
      if case[4] ~= "/" then assert.equal(200, served:get("/ui/main.js").status) end
      assert.truthy(served:log():find("studio.rejected", 1, true))
      served:remove()
    end)
  end

  it("is read when it is whole again", function()
    local served = start { ["ui/main.js"] = "1" }
    assert.equal(404, served:get("/").status)
    served:write("studio/index.html", PAGE)
    served:eventually(function() return served:get("/").status == 200 and problems(served) == "" end)
    served:remove()
  end)

  it("may have links within it", function()
    local served = start { ["index.html"] = PAGE, ["ui/main.js"] = "1" }
    shell.run("ln -s main.js " .. shell.quote(served.home .. "/studio/ui/same.js"))
    served:eventually(function() return served:get("/ui/same.js").body == "1" end)
    assert.equal("", problems(served))
    served:remove()
  end)
end)
