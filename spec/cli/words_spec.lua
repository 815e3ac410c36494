-- The pure modules of the command line: widths, conditions, formats, tables, charts, secrets.

local core = require "ampersand.core"
local cell = require "ampersand.cli.output.cell"
local chart = require "ampersand.cli.output.chart"
local filter = require "ampersand.cli.filter"
local html = require "ampersand.cli.output.html"
local json = require "ampersand.cli.output.json"
local redact = require "ampersand.util.redact"
local tables = require "ampersand.cli.output.table"
local template = require "ampersand.cli.output.template"
local width = require "ampersand.cli.output.width"
local writers = require "ampersand.cli.output.writers"
local yaml = require "ampersand.cli.output.yaml"

local function collect(kind, values, settings)
  local parts = {}
  local sink = writers.list(kind, function(text) parts[#parts + 1] = text end, settings or {})
  for _, value in ipairs(values) do sink.add(value) end
  sink.finish()
  return table.concat(parts)
end

describe("widths", function()
  it("count columns, not bytes", function()
    for text, columns in pairs {
      [""] = 0, abc = 3, ["Müller"] = 6, ["株式会社"] = 8, ["서울 데이터"] = 11, ["🚀 Rocketeers"] = 13, ["Zoë"] = 3,
      ["Zoe\204\136"] = 3, ["Компания"] = 8, ["ＡＢ"] = 4, ["e\226\128\141"] = 1, ["\243\176\128\129"] = 1,
    } do
      assert.equal(columns, width.of(text), text)
    end
  end)

  it("cut at a character, never within, and never too wide", function()
    assert.equal("株式…", width.cut("株式会社", 5))
    assert.equal("株式…", width.cut("株式会社", 6))
    assert.equal("株式会社", width.cut("株式会社", 8))
    assert.equal("…", width.cut("株式会社", 1))
    assert.equal("Mü…", width.cut("Müller", 3))
    for limit = 1, 12 do assert.is_true(width.of(width.cut("a株b🚀cé-Компания", limit)) <= limit) end
  end)

  it("let nothing through that a terminal would act on", function()
    assert.equal("a?[31mb c", width.clean "a\27[31mb\tc")
    assert.equal("a?b", width.clean "a\194\155b")
    assert.equal("a?b?c", width.clean "a\226\128\174b\226\129\166c")
    assert.equal("a?b?c?d", width.clean "a\226\128\142b\226\128\143c\216\156d")
    assert.equal("a\239\191\189b", width.clean "a\255b")
    assert.equal("\239\191\189\239\191\189", width.clean "\226\130")
    assert.equal("Zoë 株 🚀", width.clean "Zoë 株 🚀")
    for _, bytes in ipairs { "\128", "\192\128", "\225\128", "\245\128\128\128", "\240\159\154" } do
      assert.is_nil(width.clean("a" .. bytes):find(bytes, 1, true), bytes)
    end
    for good in ("\194\162 \223\191 \224\164\168 \239\191\189 \240\159\154\128 \244\143\191\191"):gmatch "%S+" do
      assert.equal("a" .. good .. "b", width.clean("a" .. good .. "b"))
    end
    assert.equal(1, width.of "\240\144\144\128")
    assert.equal(1, width.of "\208\176\210\131")
  end)
end)

describe("conditions", function()
  local function where(text) return (assert(filter.where(text))) end

  it("read operators and lists", function()
    assert.same({ { healthStatus = "unhealthy" } }, where "healthStatus=unhealthy")
    assert.same({ { ["connection.status"] = { "bad_credentials", "created" } } },
      where "connection.status=bad_credentials,created")
    assert.same({ { a = { "x,y", "z" } } }, where [[a=x\,y,z]])
    assert.same({ { createTime = { gte = "2024-01-01" } } }, where "createTime>=2024-01-01")
    assert.same({ { n = { lt = 5 } } }, where "n<5")
    assert.same({ { p = { prefix = "sa=les" } } }, where "p^=sa=les")
    assert.same({ { p = { present = true } } }, where "p")
    assert.same({ { p = { present = false } } }, where "!p")
    assert.same({ { p = { ne = "a" } }, { p = { ne = "b" } } }, where "p!=a,b")
    assert.same({ { p = "a=b" } }, where "p=a=b")
    assert.same({ { p = "" } }, where "p=")
    assert.same({ { p = { false, "false" } } }, where "p=false")
    assert.same({ { ["a!b"] = "c" } }, where "a!b=c")
    assert.same({ { ["a:b"] = "~c:d==e" } }, where "a:b=~c:d==e")
    assert.same({ { p = "=x" } }, where 'p="=x"')
  end)

  it("compare what may be a number or a word both ways", function()
    assert.same({ { p = { true, "true" } } }, where "p=true")
    assert.same({ { p = { 12, "12" } } }, where "p=12")
    assert.same({ { p = "12" } }, where 'p="12"')
    assert.same({ { any = { { p = { ne = 12 } }, { p = { ne = "12" } } } } }, where "p!=12")
    assert.equal(core.null, where("p=null")[1].p[1])
  end)

  it("mean what they say, in the C core", function()
    local selection = require "ampersand.cli.selection"
    local values = {
      { id = 1, on = true, n = 12, s = "12" }, { id = 2, on = false, n = 5, s = "twelve" }, { id = 3, s = "a,b" },
    }
    local function ids(...)
      local found = {}
      local conditions = assert(filter.conditions { ... })
      for _, value in ipairs(selection.refine(values, conditions)) do found[#found + 1] = value.id end
      return table.concat(found, " ")
    end
    assert.equal("1", ids "on=true")
    assert.equal("2", ids "on!=true")
    assert.equal("1", ids "s=12")
    assert.equal("1", ids "n=12")
    assert.equal("2 3", ids "s!=12")
    assert.equal("2", ids "n<12")
    assert.equal("3", ids [[s=a\,b]])
    assert.equal("3", ids "!on")
    assert.equal("1 2", ids "on")
    assert.equal("2", ids("on", "s^=tw"))
    assert.same({ { s = "a,b" } }, selection.refine(values, assert(filter.conditions { "id=3" }), { "s" }))
  end)

  it("are refused in words when they are not valid", function()
    for _, text in ipairs { "", "=x", "a b=c", ".a=b", "a..b=c", "!", "a.=1" } do
      local conditions, why = filter.where(text)
      assert.is_nil(conditions, text)
      assert.truthy(why:find("expected path=value", 1, true), why)
    end
    for text, words in pairs {
      ["p==x"] = "no operator == (did you mean = ?); known are =", ["p!==x"] = "no operator !== (did you mean != ?)",
      ["p=>1"] = "no operator => (did you mean >= ?)", ["p<>1"] = "no operator <> (did you mean != ?)",
      ["p~x"] = "no operator ~; known are =", ["p~=x"] = "no operator ~= (did you mean != ?)",
      ["p:=1"] = "no operator := (did you mean = ?)", ["a.b:x"] = "no operator :", ["p!x"] = "no operator !;",
      ["p^x"] = "no operator ^;",
    } do
      local conditions, why = filter.where(text)
      assert.is_nil(conditions, text)
      assert.truthy(why:find(words, 1, true), why)
    end
    assert.is_nil((filter.paths({ "" }, "--select")))
    assert.is_nil((filter.paths({ "a b" }, "--select")))
    assert.same({ "id", "a.b" }, (filter.paths({ "id, a.b" }, "--select")))
  end)
end)

describe("formats", function()
  local things = {
    { id = "a", n = 1.5, deep = { list = core.array { "x", "y" }, name = 'say "hi", all' }, none = core.null },
    { id = "b", n = 2, deep = { list = core.array {}, name = " two\nlines\t" }, empty = {} },
  }

  it("write JSON that reads back, sorted and indented", function()
    assert.equal([=[
[
  {
    "deep": {
      "list": [
        "x",
        "y"
      ],
      "name": "say \"hi\", all"
    },
    "id": "a",
    "n": 1.5,
    "none": null
  },
  {
    "deep": {
      "list": [],
      "name": " two\nlines\t"
    },
    "empty": {},
    "id": "b",
    "n": 2
  }
]
]=], collect("json", things))
    assert.same(things, core.decode(collect("json", things)))
    assert.equal("[]\n", collect("json", {}))
    assert.equal("[]\n", collect("yaml", {}))
  end)

  it("write a line of JSON each", function()
    assert.equal('{"deep":{"list":["x","y"],"name":"say \\"hi\\", all"},"id":"a","n":1.5,"none":null}\n'
      .. '{"deep":{"list":[],"name":" two\\nlines\\t"},"empty":{},"id":"b","n":2}\n', collect("ndjson", things))
  end)

  it("leave nothing to a terminal that it would act on, and a reader of JSON all of it", function()
    local bad = "a\194\133b\226\128\142c\226\128\174d\226\129\166e\216\156f é “ر”"
    for _, kind in ipairs { "json", "ndjson", "yaml" } do
      local text = collect(kind, { { x = bad } })
      assert.truthy(text:find([["a\u0085b\u200ec\u202ed\u2066e\u061cf é “ر”"]], 1, true), text)
    end
    assert.equal(bad, core.decode(json.line { bad })[1])
    for _, kind in ipairs { "csv", "tsv" } do
      local settings = { columns = { { path = "x" } }, header = false }
      assert.equal(bad .. "\n", collect(kind, { { x = bad } }, settings))
      settings.terminal = true
      assert.equal("a?b?c?d?e?f é “ر”\n", collect(kind, { { x = bad } }, settings))
    end
  end)

  it("write CSV and TSV as their readers take them", function()
    local columns = {}
    for path in ("id deep.name deep.list none n"):gmatch "%S+" do columns[#columns + 1] = { path = path } end
    assert.equal('id,deep.name,deep.list,none,n\na,"say ""hi"", all","[""x"",""y""]",,1.5\nb," two\nlines\t",[],,2\n',
      collect("csv", things, { columns = columns }))
    assert.equal('x\n" a"\n"a "\na\n', collect("csv", { { x = " a" }, { x = "a " }, { x = "a" } },
      { columns = { { path = "x" } } }))
    assert.equal('a\tsay "hi", all\t["x","y"]\t\t1.5\nb\t two\\nlines\\t\t[]\t\t2\n',
      collect("tsv", things, { columns = columns, header = false }))
  end)

  it("write YAML that every reader reads as the same text", function()
    assert.equal([=[
- deep:
    list:
      - x
      - "y"
    name: "say \"hi\", all"
  id: a
  "n": 1.5
  none: null
- deep:
    list: []
    name: " two\nlines\t"
  empty: {}
  id: b
  "n": 2
]=], collect("yaml", things))
    for _, text in ipairs { "true", "No", "null", "1", "1.5", "-", "- a", "a: b", "#c", "", "2024-01-01", "*a", "~" } do
      assert.equal(assert(core.encode(text)), yaml.text(text))
    end
    local nested = core.array { core.array { 1, 2 }, core.array { { a = 1 } } }
    assert.equal("- - 1\n  - 2\n- - a: 1", yaml.text(nested))
  end)

  it("fill templates", function()
    local parts = assert(template.parse [[{id}\t{deep.name}\{\}{deep.list.1}{none}]])
    assert.equal('x\n" a"\n"a "\na\n', collect("csv", { { x = " a" }, { x = "a " }, { x = "a" } },
      { columns = { { path = "x" } } }))
    assert.equal('a\tsay "hi", all{}x\nb\t two\nlines\t{}\n', collect("template", things, { template = parts }))
    assert.equal("b\t two lines {}\n", collect("template", { things[2] }, { template = parts, terminal = true }))
    assert.same({ "id", "deep.name", "deep.list.1", "none" }, template.paths(parts))
    local text = template.parse "<{id}> it is xy"
    assert.equal("<a> it is xy\n<b> it is xy\n", collect("template", things, { template = text }))
    assert.equal("a\nb\n", collect("template", things, { template = template.parse "{id}\\n" }))
    assert.matches("it is empty", select(2, template.parse ""))
    local none, why = template.parse "a {b c}"
    assert.is_nil(none)
    assert.truthy(why:find("column 3", 1, true))
  end)

  it("gather what a star stands for", function()
    local value = { read = { contact = { on = true }, account = { on = false } } }
    assert.equal("false,true", cell(value, "read.*.on"))
    assert.equal("", cell(value, "write.*.on"))
  end)
end)

describe("tables", function()
  it("fit what there is", function()
    assert.same({ 10, 20 }, tables.fit({ 10, 20 }, nil))
    assert.same({ 10, 20 }, tables.fit({ 10, 20 }, 32))
    assert.same({ 20 }, tables.fit({ 50 }, 20))
    assert.same({ 20 }, tables.fit({ 20 }, 30))
    local function sum(widths)
      local total = 2 * (#widths - 1)
      for _, each in ipairs(widths) do total = total + each end
      return total
    end
    for limit = 1, 130 do
      local widths = tables.fit({ 20, 40, 9, 30, 9 }, limit)
      assert.is_true(sum(widths) <= limit, limit .. " columns")
      if limit >= 110 then assert.equal(5, #widths) end
    end
    assert.equal(20, tables.fit({ 20, 40, 9, 30, 9 }, 60)[1])
  end)
end)

local function drawn_table(values, settings)
  local parts, said = {}, {}
  settings.paint = settings.paint or function(text) return text end
  settings.say = function(text) said[#said + 1] = text end
  settings.empty = "there is nothing"
  local sink = writers.list("table", function(text) parts[#parts + 1] = text end, settings)
  for _, value in ipairs(values) do sink.add(value) end
  sink.finish()
  return table.concat(parts), table.concat(said, "\n")
end

describe("tables", function()
  local columns = require "ampersand.cli.output.columns"
  local marked = function(text, colour) return colour and ("<%s:%s>"):format(colour, text) or text end

  it("are drawn with dashes for what is not there, and colours for what is known", function()
    local chosen = columns.selected { "id", "health", "n" }
    for _, column in ipairs(chosen) do column.heading = column.path:upper() end
    local values = {
      { id = "a", health = "unhealthy", n = 1 }, { id = "longer", health = core.null },
      { id = "c", health = "healthy" },
    }
    local whole = "ID      HEALTH     N\na       unhealthy  1\nlonger  -          -\nc       healthy    -\n"
    assert.equal(whole, drawn_table(values, { columns = chosen }))
    local painted = drawn_table(values, { columns = chosen, paint = marked })
    local expected = whole:gsub("%u+", "<bold:%0>"):gsub("unhealthy", "<red:%0>"):gsub(" (healthy)", " <green:%1>")
    assert.equal(expected, painted)
    assert.equal("a       unhealthy  1\nlonger  -          -\nc       healthy    -\n",
      drawn_table(values, { columns = chosen, header = false }))
  end)

  it("say how many columns did not fit, and that there is nothing", function()
    local chosen = columns.selected { "a", "b", "c" }
    local value = { a = ("a"):rep(20), b = ("b"):rep(20), c = ("c"):rep(20) }
    local text, said = drawn_table({ value }, { columns = chosen, limit = 20 })
    assert.equal("a           b\naaaaaaaaa…  bbbbbbb…\n", text)
    assert.equal("1 column did not fit; --wide shows all", said)
    text, said = drawn_table({ value }, { columns = chosen, limit = 10 })
    assert.equal("a\naaaaaaaaa…\n", text)
    assert.equal("2 columns did not fit; --wide shows all", said)
    text, said = drawn_table({ value }, { columns = chosen, limit = 64 })
    assert.equal("", said)
    assert.truthy(text:find(("c"):rep(20), 1, true))
    assert.same({ "", "there is nothing" }, { drawn_table({}, { columns = chosen }) })
  end)

  it("guess the columns of what is not described, names first", function()
    assert.equal("id  name  b     x\n1   n     true  -\n2   -     -     y\n",
      drawn_table({ { b = true, id = 1, name = "n", deep = {} }, { id = 2, x = "y" } }, {}))
  end)

  it("have more columns when they are wide", function()
    local some, all = columns.of "Installation", columns.of("Installation", true)
    assert.same({ heading = "INSTALLATION", path = "id" }, some[1])
    assert.equal(5, #some)
    assert.equal(10, #all)
    assert.same({ heading = "GROUP REF", path = "group.groupRef" }, all[6])
    assert.is_nil(columns.of "Unheard")
  end)

  it("show one thing as a record, what is within indented", function()
    local function record(value, limit, paint)
      local parts = {}
      tables.record(function(text) parts[#parts + 1] = text end, value,
        { limit = limit, paint = paint or function(text) return text end })
      return table.concat(parts)
    end
    local value = {
      zeta = 1, id = "i", list = core.array { "a", 2 }, none = core.null, empty = core.array {}, nothing = {},
      deep = { status = "working", objects = core.array { { id = 1 }, { id = 2 } }, long = ("x"):rep(50) },
    }
    assert.equal([[
id       i
empty    []
none     -
nothing  {}
zeta     1
deep
  status  working
  long    xxxxxxxxxxxxxxxxxxx…
  objects
    1
      id  1
    2
      id  2
list  a, 2
]], (record(value, 30):gsub("list     a, 2\n", "list  a, 2\n")))
    assert.truthy(record(value):find(("x"):rep(50), 1, true))
    assert.truthy(record(value, nil, marked):find("<grey:  status>  <green:working>\n", 1, true))
    assert.equal("text with ? in it\n", record "text with \27 in it")
    assert.equal("a, b\n", record(core.array { "a", "b" }))
  end)
end)

describe("secrets in URLs", function()
  it("are masked", function()
    for url, masked in pairs {
      ["https://u:p@host/v1"] = "https://***@host/v1", ["https://u@host"] = "https://***@host",
      ["socks5h://u:p/@w d@host:1"] = "socks5h://***@host:1", ["u:p@host:3128"] = "***@host:3128",
      ["https://host/v1"] = "https://host/v1", junk = "junk",
    } do
      assert.equal(masked, redact.url(url))
    end
  end)
end)

describe("secrets in payloads", function()
  it("have many names", function()
    local names = "token accessToken refreshToken idToken apiKey password clientSecret secret secrets privateKey"
      .. " secretAccessKey awsSecretKey awsSessionToken webhookSigningKey customAuth credentials signingSecret"
    for name in names:gmatch "%S+" do
      local value, count = redact.value { [name] = "s3", other = "o" }
      assert.same({ [name] = "[redacted]", other = "o" }, value)
      assert.equal(1, count)
    end
    local times = { issuedAt = "1", expiresAt = "2", createTime = "3", updateTime = "4", scopes = { "5" } }
    assert.same(times, redact.value({ secrets = times }).secrets)
    assert.same({ { key = "[redacted]" }, 1 }, { redact.value({ key = "k" }, "ApiKey") })
    assert.same({ { key = "[redacted]", label = "l", projectId = "p" }, 1 },
      { redact.value({ key = "k", label = "l", projectId = "p" }, "ApiKey") })
    assert.same({ { key = true }, 0 }, { redact.value({ key = true }, "ApiKey") })
    assert.same({ { token = true, password = "" }, 0 }, { redact.value { token = true, password = "" } })
  end)

  it("are hidden wherever they stand, and nothing else is", function()
    local value = {
      id = "i", connection = {
        apiKey = "s3",
        oauth2AuthorizationCode = { accessToken = { token = "s3", expiresAt = "2024" }, scopes = { "a" } },
        basicAuth = { username = "u", password = "s3" }, customAuth = { anything = "s3", deep = { "s3" } },
      },
      secrets = { webhookSigningKey = "s3" }, list = core.array { { clientSecret = "s3", clientId = "c" } },
      token = core.null, pagination = { nextPageToken = "page" },
    }
    local hidden, count = redact.value(value)
    assert.is_nil(core.encode(hidden):find("s3", 1, true))
    assert.equal(7, count)
    assert.equal("2024", hidden.connection.oauth2AuthorizationCode.accessToken.expiresAt)
    assert.equal("u", hidden.connection.basicAuth.username)
    assert.equal("c", hidden.list[1].clientId)
    assert.equal("page", hidden.pagination.nextPageToken)
    assert.equal(core.null, hidden.token)
  end)

  it("include API keys themselves", function()
    assert.equal("[redacted]", redact.value({ key = "k", label = "l", projectId = "p" }).key)
    assert.equal("k", redact.value({ key = "k" }).key)
  end)
end)

describe("charts", function()
  local function tally_of(n)
    local tally = chart.tally()
    for i = 1, n do
      tally:add { id = "i" .. i, healthStatus = i % 4 == 0 and "unhealthy" or "healthy",
        group = { groupName = "<G> & \"" .. i .. "\"" }, connection = { provider = "p" .. i % 20, status = "working" } }
    end
    return tally
  end

  local function drawn(tally, limit)
    local parts = {}
    tally:bars(function(text) parts[#parts + 1] = text end, { limit = limit, paint = function(text) return text end })
    return table.concat(parts)
  end

  it("draw bars of the right length", function()
    assert.equal([[
8 installations

Health
  healthy   6  75.0%  ██████████
  unhealthy 2  25.0%  ███▍
]], drawn(tally_of(8), 32):match "^.-\n\n.-\n\n" :gsub("\n\n$", "\n"))
  end)

  it("never draw wider than the terminal", function()
    for _, limit in ipairs { 30, 40, 80, 200 } do
      for line in drawn(tally_of(97), limit):gmatch "[^\n]+" do assert.is_true(width.of(line) <= limit, line) end
    end
  end)

  it("list the unhealthy, up to a bound, in words for the rest", function()
    assert.truthy(html.page(tally_of(812), "t", "today"):find("<p>and 3 more</p>", 1, true))
    assert.is_nil(html.page(tally_of(800), "t", "today"):find("more</p>", 1, true))
    assert.truthy(html.page(tally_of(3), "t", "today"):find("<p>Nothing is unhealthy.</p>", 1, true))
    assert.truthy(html.page(tally_of(0), "t", "today"):find("0 installations, 0 of them unhealthy", 1, true))
    assert.equal("0 installations\n", drawn(tally_of(0), 80))
  end)

  it("colour what is known", function()
    local svg = html.picture(tally_of(8), "t")
    local bar = [[>healthy</text><rect x="190" y="78" width="400.0" height="16" rx="2" fill="#2f9e62"/>]]
    assert.truthy(svg:find(bar, 1, true), svg)
    assert.truthy(svg:find([[width="133.3" height="16" rx="2" fill="#d64545"/>]], 1, true), svg)
    assert.truthy(svg:find([[fill="#4a7fb5"/>]], 1, true))
    assert.same({ of = "healthStatus", value = "healthy", count = 6 }, tally_of(8):rows()[1])
    assert.equal(20, #tally_of(97):rows() - 3)
  end)

  it("put the small ones together", function()
    local text = drawn(tally_of(97), 80)
    assert.truthy(text:find("9 others", 1, true), text)
    assert.equal(97, tally_of(97):numbers().total)
  end)

  it("make pictures and pages that are whole and load nothing", function()
    local svg, page = html.picture(tally_of(97), "A & <B>"), html.page(tally_of(97), "A & <B>", "today")
    assert.truthy(svg:find "^<svg xmlns=" and svg:find "</svg>\n$")
    assert.truthy(svg:find("A &amp; &lt;B&gt;: 97 installations", 1, true))
    assert.truthy(page:find(svg, 1, true))
    assert.truthy(page:find("97 installations, 24 of them unhealthy", 1, true))
    assert.truthy(page:find("&lt;G&gt; &amp; &quot;4&quot;", 1, true))
    assert.is_nil(page:find("<G>", 1, true))
    assert.is_nil(page:gsub("http://www.w3.org/2000/svg", ""):find "https?:")
    assert.is_nil(page:find "<script")
  end)
end)

describe("the exit codes", function()
  it("are those of the guide", function()
    local file = assert(io.open "docs/cli.md")
    local text = file:read "*a"
    file:close()
    for _, meaning in ipairs(require("ampersand.cli.exit").MEANINGS) do
      assert.truthy(text:find(("\n| %d | "):format(meaning[1]), 1, true), meaning[1])
    end
  end)
end)
