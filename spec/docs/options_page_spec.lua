-- docs/options.md has one row for each option, and says rightly where it may stand.
-- For one Lua: a page is compared with the names in the code.

local ampersand = require "ampersand"

-- The names that a refusal of an unknown option lists.
local function known_by(f)
  local ok, message = pcall(f, { qqqqqqqqqqqqqqqq = true })
  assert.is_false(ok)
  local names = {}
  for name in message:match("known are: (.*)$"):gmatch "[%w_]+" do names[name] = true end
  return names
end

local function rows()
  local file = assert(io.open "docs/options.md")
  local region = file:read "*a":match "<!%-%- options %-%->(.-)<!%-%- /options %-%->"
  file:close()
  local found = { new = {}, with = {}, call = {} }
  for name, takes in region:gmatch "\n| `([%w_]+)` |[^|]*| ([^|]*) |" do
    for place in takes:gmatch "%a+" do found[place][name] = true end
  end
  return found
end

describe("the page of options", function()
  it("has what ampersand.new, client:with and a call take", function()
    local client = ampersand.new { api_key = "k", project = "p", integration = "i" }
    local page = rows()
    assert.same(known_by(ampersand.new), page.new)
    assert.same(known_by(function(options) client:with(options) end), page.with)
    local of_call = known_by(function(options) client.integrations:list(options) end)
    assert.same(of_call, page.call)
  end)
end)
