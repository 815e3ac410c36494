-- What the dashboard's pages hold, without nginx: data in, HTML out.

local page = dofile "examples/openresty/dashboard/page.lua"

local function row(id, fields)
  fields = fields or {}
  return { id, fields.customer or "Customer " .. id, "group-" .. id, fields.provider or "hubspot", fields.state or "healthy",
    "working", "success", fields.updated or "2026-01-02T03:04:05Z", "integration" }
end

-- The page of 120 installations, or of those given.
local function render(query, rows, providers)
  if not rows then
    rows = {}
    for i = 1, 120 do rows[i] = row(("i-%03d"):format(i)) end
  end
  local view = {}
  for _, name in ipairs(page.PARAMETERS) do view[name] = query[name] or "" end
  return page.whole {
    meta = { version = "1", count = #rows, totals = { healthy = #rows },
      providers = providers or { { name = "hubspot", total = #rows, states = { healthy = #rows } } } },
    age = 1.5, project = "project", view = view, rows = rows, page = query.page or "", size = 50,
  }
end

describe("the dashboard's page number", function()
  local function shown(text)
    local html = render { page = text }
    local at, last = html:match "<span>page (%d+) of (%d+)</span>"
    return tonumber(at), tonumber(last), select(2, html:gsub("<tr class=\"healthy\">", "")) - 1 -- one is the template
  end

  it("is one of the pages there are", function()
    for text, expected in pairs { ["1"] = 1, ["2"] = 2, ["3"] = 3, ["003"] = 3, ["4"] = 3, ["9007199254740993"] = 3,
      [("9"):rep(200)] = 3, [("9"):rep(400)] = 3, ["0"] = 1 } do
      local at, last, rows = shown(text)
      assert.same({ expected, 3, expected == 3 and 20 or 50 }, { at, last, rows }, text)
    end
  end)

  it("is 1 for all that is not digits", function()
    for _, text in ipairs { "", "-1", "1e308", "1e2", "2.5", "0x2", "inf", "nan", "-inf", " 2", "2 ", "two", "2\0", "+2" } do
      local at, _, rows = shown(text)
      assert.same({ 1, 50 }, { at, rows }, text)
    end
  end)
end)

describe("the dashboard's times", function()
  local function time(text)
    return (render({}, { row("a", { updated = text }) }):match "<time datetime=\"[^\"]*\">(.-)</time>":gsub("<[^>]*>", ""))
  end

  it("name their zone", function()
    assert.equal("2026-01-02 03:04 UTC", time "2026-01-02T03:04:05Z")
    assert.equal("2026-01-02 03:04 UTC", time "2026-01-02T03:04:05.678901Z")
  end)

  it("are shown unchanged where the zone is not UTC, or not known", function()
    for _, text in ipairs { "2026-01-02T03:04:05+02:00", "2026-01-02T03:04:05", "yesterday" } do
      assert.equal(text .. " ", time(text))
    end
    assert.equal("– ", time "")
  end)

  it("of a failure have a day", function()
    local html = page.overview { view = { state = "" }, problem = { message = "503", since = 1767323045 } }
    assert.truthy(html:find("since 2026-01-02 03:04:05 UTC", 1, true))
  end)
end)

describe("the dashboard's labels", function()
  local function link(html, provider)
    return html:match('<a class="bar" data%-choose="provider" data%-value="' .. provider .. '".-</a>')
  end

  it("are what is seen: no link has another label", function()
    local html = render {}
    for tag in html:gmatch "<a [^>]*>" do assert.is_nil(tag:find("aria-label", 1, true), tag) end
    local text = link(html, "hubspot"):gsub("<svg.-</svg>", ""):gsub("<[^>]*>", ""):gsub("%s+", " ")
    assert.equal("hubspot 120: 120 healthy ", text)
  end)

  it("show a provider without a name as text, for no filter selects it", function()
    local rows = { row("a", { provider = "" }), row("b") }
    local html = render({}, rows, {
      { name = "", total = 1, states = { unhealthy = 1 } }, { name = "hubspot", total = 1, states = { healthy = 1 } } })
    assert.is_nil(link(html, ""))
    assert.truthy(html:find('<div class="bar"><span class="name">no provider</span> <span class="count">1 of 1</span>', 1, true))
    assert.truthy(link(html, "hubspot"))
  end)
end)
