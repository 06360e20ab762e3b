-- Make in a browser: form, JSON and curl are one state, and the exact request and its price are seen before anything is sent.
local exact = require "spec.support.exact_json"
local keys = require "spec.support.keys"
local make = require "spec.support.make_page"
local studio = require "spec.support.studio"

local SEED = "18446744073709551615"

studio.describe("Make", function()
  local page

  describe("with everything on", function()
    setup(function() page = studio.open { live = { hurry = 10 } } end)
    teardown(function() page:remove() end)
    after_each(function()
      page:execute "sessionStorage.clear()"
      page:open "about:blank"
    end)

    it("shows the exact request and its price, and registers nothing", function()
      local before = #make.jobs(page)
      page:go "#/make/image/fal"
      make.has(page, ".sent", "Still needed: prompt")
      assert.is_nil(page:finds("#run")[1])
      make.fill(page, "prompt", "a lighthouse <b>at</b> night")
      make.fill(page, "parameters.samples", "2")
      make.ready(page, "Run live, at most $0.006")
      make.has(page, ".upstream", "POST https://queue.fal.run/fal-ai/flux/schnell")
      make.has(page, ".upstream", '"prompt": "a lighthouse <b>at</b> night"')
      assert.equal("{api_key}", page:find(".upstream .secret"):text())
      make.has(page, ".checks", "price of ")
      assert.equal("https://fal.ai/models/fal-ai/flux/schnell", page:find(".checks a"):attribute "href")
      assert.equal(before, #make.jobs(page))
      page:picture "make-light"
      page:look "dark"
      page:picture "make-dark"
      page:look "light"
      page:assert_clean()
    end)

    it("says what is wrong beside the field", function()
      page:go "#/make/image/fal"
      make.fill(page, "prompt", "x")
      make.fill(page, "parameters.samples", "9")
      make.has(page, '[data-path="parameters.samples"] .error', "must be from 1 to 4")
      assert.equal("true", make.field(page, "parameters.samples"):attribute "aria-invalid")
      assert.is_nil(page:finds("#run")[1])
      make.fill(page, "parameters.samples", "two")
      make.has(page, '[data-path="parameters.samples"] .error', "a whole number is needed")
      make.fill(page, "parameters.samples", "3")
      make.ready(page, "Run live, at most $0.009")
      page:assert_clean()
    end)

    it("keeps form, JSON and curl as one state, with integers as they are", function()
      page:go "#/make/image/fal"
      make.fill(page, "prompt", "it's night")
      make.fill(page, "parameters.seed", SEED)
      make.ready(page)
      make.has(page, ".upstream", '"seed": ' .. SEED)
      page:click_text("button", "JSON")
      local box = page:find "#request-json"
      assert.truthy(box:property("value"):find('"seed": ' .. SEED, 1, true))
      page:execute([[const box = arguments[0];
        box.value = box.value.replace('"prompt"', '"acme_unknown": {"deep": [9007199254740993]}, "prompt"');
        box.dispatchEvent(new Event("input", { bubbles: true }));]], box)
      page:click_text("button", "Form")
      make.fill(page, "prompt", "another night")
      assert.equal('{\n  "deep": [\n    9007199254740993\n  ]\n}', make.field(page, "acme_unknown"):property "value")
      assert.equal(SEED, make.field(page, "parameters.seed"):property "value")
      page:click_text("button", "curl")
      local curl = page:find("pre"):text()
      for _, text in ipairs { "/api/providers/image/fal/submit'", '"seed": ' .. SEED, "9007199254740993", "another night" } do
        assert.truthy(curl:find(text, 1, true), text)
      end
      page:click_text("button", "JSON")
      page:find("#request-json"):type "{{"
      make.has(page, ".error", "JSON")
      assert.is_false(page:find_text("button", "Dry run"):is_enabled())
      page:assert_clean()
    end)

    it("uses a job again, less what was filled in", function()
      local job = page.host:post("/api/providers/image/fal/submit",
        '{"prompt":"once more","parameters":{"num_images":2,"seed":' .. SEED .. '}}').json.job_id
      page:go("#/make/image/fal?from=" .. job)
      make.ready(page)
      assert.equal("once more", make.field(page, "prompt"):property "value")
      assert.equal(SEED, make.field(page, "parameters.seed"):property "value")
      page:click_text("button", "JSON")
      local body = exact.decode(page:find("#request-json"):property "value")
      assert.equal(2, body.parameters.num_images)
      assert.same({ nil, nil, nil }, { body.defaulted, body.parameters.steps, body.parameters.guidance_scale })
      assert.falsy(page:url():find("from=", 1, true))
      job = page.host:post("/api/providers/image/stability/submit", {
        prompt = "in oil", mode = "image-to-image", model = "sd3.5-medium",
        init_image = "data:image/png;base64," .. ("A"):rep(8000),
        parameters = { strength = 0.6 },
      }).json.job_id
      page:go("#/make/image/stability?from=" .. job)
      make.has(page, ".note", "init_image")
      assert.equal("0.6", make.field(page, "parameters.strength"):property "value")
      page:assert_clean()
      page:go "#/make/image/fal?from=01a208bf-559d-7000-b3c1-5c1540ddd5bb"
      make.has(page, ".problem", "no job with this id")
      make.fill(page, "prompt", "all the same")
      make.ready(page)
      page:assert_clean { "status of 404" }
    end)

    it("takes files by dropping them, and keeps them out of the draft", function()
      page:go "#/make/image/stability?mode=image-to-image&model=sd3.5-medium"
      make.fill(page, "prompt", "in oil")
      page:execute([[const data = new DataTransfer();
        data.items.add(new File([new Uint8Array(3000).fill(65)], "cat <i>.png", { type: "image/png" }));
        const drop = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
        document.querySelector('[data-path="init_image"] .drop').dispatchEvent(drop);]])
      make.has(page, ".attached", "cat <i>.png")
      make.has(page, ".attached", "3 kB")
      make.ready(page)
      make.has(page, ".upstream", "image.png (image/png, 3 kB)")
      page:click_text("button", "JSON")
      assert.truthy(page:find("#request-json"):property("value"):find("attached:1:cat <i>.png", 1, true))
      page:click_text("button", "Form")
      page:click("#model")
      page:press("c", "o", "r", "e", "Enter")
      make.has(page, '[data-path="init_image"]', "sd3.5-medium takes it")
      make.has(page, ".attached", "cat <i>.png")
      page:reload()
      make.has(page, ".note", "init_image")
      assert.equal("in oil", make.field(page, "prompt"):property "value")
      assert.is_nil(page:finds(".attached")[1])
      page:assert_clean()
    end)

    it("is worked with keys alone", function()
      page:go "#/make/image/stability"
      make.fill(page, "prompt", "by keyboard")
      make.ready(page)
      page:press "Shift+Tab"
      assert.equal("model", page:focused():attribute "id")
      assert.equal("combobox", page:focused():role())
      page:press("ArrowDown", "ArrowDown")
      page:press("u", "l", "t", "r", "a")
      page:wait("document.querySelectorAll('[role=option]').length >= 2", "the models")
      page:press("ArrowDown", "Enter")
      page:wait("location.hash.includes('mode=image-to-image&model=ultra')", "the second ultra")
      page:find "[data-path=init_image]"
      page:press "Escape"
      page:go "#/make/image/fal"
      local before = #make.jobs(page)
      make.fill(page, "prompt", "dry")
      page:press "Control+Enter"
      make.has(page, ".followed", "dry run")
      assert.equal(before + 1, #make.jobs(page))
      assert.is_true(make.jobs(page)[1].dry_run)
      page:assert_clean()
    end)

    it("fits a phone, with the sum in the button", function()
      page:go "#/make/image/fal"
      make.fill(page, "prompt", "small")
      page:look "phone"
      make.ready(page, "Run live, at most $0.003")
      local line, run = page:find ".run-line", page:find "#run"
      assert.equal("fixed", line:css "position")
      assert.equal("Preview", page:find(".run-line button"):text())
      assert.is_true(run:is_displayed() and run:rect().x + run:rect().width <= 390)
      page:look "narrow"
      assert.is_true(page:execute "return document.documentElement.scrollWidth <= innerWidth")
      page:picture "make-phone"
      page:look "light"
      page:assert_clean()
    end)
  end)

  it("says what keeps it from running, with links", function()
    page = studio.open()
    page:go "#/make/image/fal"
    make.fill(page, "prompt", "x")
    make.has(page, ".cause", "feature flag")
    assert.is_nil(page:finds("#run")[1])
    assert.equal("#/providers/fal", page:find(".cause a"):attribute "href")
    page:picture "make-dry"
    page:assert_clean()
    page:remove()
  end)

  it("takes a provider that describes nothing, and any model", function()
    page = studio.open { scripts = true, files = { ["providers/image_clay.lua"] = [[
return {
  id = "clay", kind = "image", name = "Clay, of your own",
  capabilities = {}, pricing = { as_of = "2026-11-20", source = "the spec" },
  modes = { { id = "wet", label = "Wet", default = true }, { id = "dry", label = "Dry" } },
  credentials = { api_key = { secret = { "api_key" } } },
  base_url = "https://clay.example/v1", auth = { Authorization = "Key {api_key}" },
  estimate = function() return { expected = 0.01, low = 0.01, high = 0.02, unit = "job", quantity = 1, source = "https:[" } end,
  health = function() return { ok = true } end,
  submit = function(payload, ctx)
    ctx.request { method = "POST", path = "/jobs", json = { prompt = payload.prompt, more = payload.parameters } }
    return { id = "clay-1", status = "queued" }
  end,
  poll = function(job) return { id = job.vendor_id, status = "unknown" } end,
}
]] } }
    page:go "#/make/image/clay"
    make.fill(page, "prompt", "a pot")
    make.fill(page, "parameters", '{"glaze": 18446744073709551615}')
    make.has(page, ".upstream", "POST https://clay.example/v1/jobs")
    make.has(page, ".upstream", SEED)
    make.has(page, ".right", "price, https:[") -- what is no address is text
    page:go "#/make/image/fal?model=acme/new-thing"
    make.has(page, "#model-hint", "its inputs go out as they are")
    make.fill(page, "parameters", '{"glaze": 3}')
    make.has(page, ".upstream", "/acme/new-thing")
    make.has(page, ".upstream", '"glaze": 3')
    page:go "#/make/image/replicate?model=acme/new-thing"
    make.fill(page, "prompt", "a pot")
    make.has(page, ".upstream", "/acme/new-thing")
    page:find("[data-path=model]:not(.picker) input"):type "s-2" -- the form stays while another model is typed
    make.has(page, ".upstream", "/acme/new-things-2")
    assert.equal("acme/new-things-2", page:focused():property "value")
    page:assert_clean()
    page:remove()
  end)

  it("finds models of the vendor's directory, with their inputs", function()
    page = studio.open { live = { config = function(config)
      config.directory = { enabled = true, providers = { fal = { enabled = true } } }
    end } }
    page.host:eventually(function()
      return page.host:get("/api/providers/image/fal/models?q=flux-lora").json.models[1] or nil
    end)
    page:go "#/make/image/fal"
    make.field(page, "prompt"):click()
    page:press("Shift+Tab", "f", "l", "u", "x", "-", "l", "o", "r", "a")
    page:wait("document.querySelector('[role=option]')?.textContent.includes('fal-ai/flux-lora')", "the model")
    page:press "Enter"
    page:find "[data-path='parameters.loras']"
    make.fill(page, "prompt", "a cat")
    make.has(page, ".upstream", "POST https://queue.fal.run/fal-ai/flux-lora")
    page:assert_clean()
    page:remove()
  end)

  it("is what the key's roles allow", function()
    page = studio.open { live = true, keys = { keys.entry("reader", { may = exact.array { "read" } }),
      keys.entry("drafter", { may = exact.array { "read", "submit" } }), keys.entry("maker", {
        may = exact.array { "read", "submit", "live" }, sees = "own", budget_usd = { per_day = 5, per_month = 5 },
      }) } }
    page:open(page.base)
    page:log_in "reader"
    page:open "about:blank"
    page:console() -- what was refused before
    page:go "#/make/image/fal"
    make.has(page, ".make", "needs the role “submit”")
    assert.is_nil(page:finds("[data-path=prompt]")[1])
    page:log_in "drafter"
    page:open "about:blank"
    page:go "#/make/image/fal"
    make.fill(page, "prompt", "x")
    make.has(page, ".in-the-way", "needs the role “live”")
    assert.is_nil(page:finds("#run")[1])
    page:click_text("button", "Dry run")
    make.has(page, ".followed", "dry run")
    page:log_in "maker"
    page:open "about:blank"
    page:go "#/make/image/fal"
    make.ready(page, "Run live, at most $0.003")
    make.has(page, ".checks", "budget: key maker $5.000 of $5.000 left today")
    page:click("#run")
    page:wait("document.querySelector('.outputs img')", "the picture")
    page:assert_clean()
    page:remove()
  end)
end)
