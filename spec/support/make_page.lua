-- What the specs of Make do with its page.
local make_page = {}

local READY = "document.querySelector('#run') && !document.querySelector('#run').disabled"

function make_page.field(page, path)
  return page:find(('[data-path="%s"] :is(input, textarea, select)'):format(path))
end

--- Writes a text into the field of a path, in place of what is there.
function make_page.fill(page, path, text)
  local control = make_page.field(page, path)
  control:clear()
  control:type(text)
end

--- Waits until the first element of a selector has this text in it.
function make_page.has(page, css, text)
  page:wait(("document.querySelector(%q)?.textContent.includes(%q)"):format(css, text), css .. " with " .. text)
end

--- Waits until it may be run live, by a button of these words.
function make_page.ready(page, words)
  page:wait(READY .. (words and (" && document.querySelector('#run').textContent === %q"):format(words) or ""),
    words or "the run button")
end

function make_page.jobs(page)
  return page.host:get("/api/jobs/list?limit=500").json.tasks
end

local WIRE = [[
  const real = window.realFetch ??= window.fetch, how = arguments[0] ?? {};
  window.sent = [];
  const changed = body => body.replace(/("expect_upstream_sha256":")[^"]+/, "$1" + "0".repeat(64));
  const dearer = body => body.replace(/("(?:high|reserved)_usd":)[\d.]+/g, (_, name) => name + "0.9");
  window.fetch = async (url, options = {}) => {
    const verb = String(url).split("?")[0].split("/").pop(), fate = options.method === "POST" && how[verb];
    if (!fate) return real(url, options);
    window.sent.push({ url, body: options.body, key: options.headers["Idempotency-Key"] });
    if (fate === "never") return new Promise(() => {});
    if (fate === "refuse") return new Response('{"status":403,"detail":"not now","request_id":"r"}', { status: 403 });
    if (fate === "change") return real(url, { ...options, body: changed(options.body) });
    const answer = await real(url, options);
    if (fate === "hold") return new Promise(() => {});
    if (fate === "lose") throw new TypeError("the connection was lost");
    if (fate === "portal") return new Response("<h1>Welcome to our WLAN</h1>");
    if (fate === "dearer") return new Response(dearer(await answer.text()));
    return answer;
  };]]

--- What becomes of the page's POSTs from now on, by the last name of their path: { submit = "lose" }. All are noted in
--- window.sent. "send": no more than that; "lose": it arrives, its answer does not; "hold": it arrives, and nothing comes;
--- "portal": it arrives, and somebody else answers; "refuse": 403 before anybody looked for its key; "dearer": the answer's
--- price is 0.9; "never": it does not arrive; "change": what would be sent has become another request meanwhile.
function make_page.wire(page, fates)
  page:execute(WIRE, fates)
end

return make_page
