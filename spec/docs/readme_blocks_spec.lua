-- The code blocks of README.md: see markdown_spec.

local markdown = require "support.markdown"

describe("the code blocks of README.md", function()
  teardown(markdown.close)

  it("do what they say", function()
    local ran, absent = markdown.run "README.md"
    assert.is_true(ran)
    if absent then pending(absent) end
  end)
end)
