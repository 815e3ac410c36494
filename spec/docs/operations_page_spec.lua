-- For one Lua: the table of docs/operations.md is compared with the code.

local descriptions = require "ampersand.cli.descriptions"
local operations = require "ampersand.client.operations"
local operations_table = require "support.operations_table"

local read = require "support.read_file"

describe("the page of operations", function()
  it("lists every operation as the table of operations has it", function()
    local region = operations_table.region(read "docs/operations.md")
    assert.is_string(region, "docs/operations.md has no marked region")
    assert.equal(operations_table.text(), region,
      "run: lua spec/support/operations_table.lua docs/operations.md")
  end)

  it("has one row for each operation, with its path", function()
    local text, count = operations_table.text(), 0
    for _ in text:gmatch "\n| " do count = count + 1 end
    assert.equal(#operations.all(), count)
    for _, op in ipairs(operations.all()) do
      local row = ("| `%s` | %s | %s | `%s %s` |"):format(op.verb, descriptions[op.id], op.id, op.method, op.path)
      assert.truthy(text:find(row, 1, true), op.id)
    end
  end)

  it("describes each operation by one sentence of its own, and no other", function()
    local known, seen = {}, {}
    for _, op in ipairs(operations.all()) do
      local text = descriptions[op.id]
      assert.matches("^%u%l+s,? .+%.$", text, op.id) -- "Lists …"
      assert.is_nil(text:find("%. %u"), op.id)
      assert.is_true(#text >= 15 and #text <= 110, op.id .. ": " .. #text)
      assert.is_nil(seen[text], op.id)
      known[op.id], seen[text] = true, true
    end
    for id in pairs(descriptions) do assert.is_true(known[id] or false, id) end
  end)

  it("would notice a row that is missing or changed", function()
    local text = operations_table.text()
    local readme = "intro\n" .. operations_table.OPEN .. text .. operations_table.CLOSE .. "\nrest"
    assert.equal(text, (operations_table.region(readme)))
    assert.are_not.equal(text, (operations_table.region((readme:gsub("listTopics", "listTopic")))))
    assert.is_nil((operations_table.region "no marks here"))
  end)
end)
