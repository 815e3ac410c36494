-- Every code block of every Markdown file is run: spec/support/markdown.lua says how. What takes long has a file of its own.

local markdown = require "support.markdown"

local ELSEWHERE = { ["README.md"] = "readme_blocks", ["docs/nginx.md"] = "nginx_blocks" }

teardown(markdown.close)

describe("the code blocks of", function()
  for _, path in ipairs(markdown.documents()) do
    describe(path, function()
      local blocks, open = markdown.blocks(path)

      it("are of a kind that is run, or say why not", function()
        assert.is_nil(open)
        for _, block in ipairs(blocks) do
          assert.is_nil(markdown.objection(block), ("%s:%d %s"):format(path, block.line, markdown.objection(block) or ""))
        end
      end)

      if ELSEWHERE[path] then
        it("have a spec file of their own", function()
          local file = assert(io.open(("spec/docs/%s_spec.lua"):format(ELSEWHERE[path])))
          assert.truthy(file:read("*a"):find(('markdown.run "%s"'):format(path), 1, true))
          file:close()
        end)
      elseif blocks[1] then
        it("do what they say", function()
          local ran, absent = markdown.run(path)
          assert.is_true(ran)
          if absent then pending(absent) end
        end)
      end
    end)
  end
end)

describe("a code block", function()
  local function objections(text)
    local lines, list = {}, {}
    for line in (text .. "\n"):gmatch "(.-)\n" do lines[#lines + 1] = line end
    for i, block in ipairs((markdown.blocks_of(lines))) do list[i] = markdown.objection(block) or "fine" end
    return list
  end

  it("is noticed when nothing would run it", function()
    assert.same({ "fine" }, objections "text\n```lua\nx()\n```")
    assert.same({ "is of kind 'python', which nothing runs" }, objections "```python\nx\n```")
    assert.same({ "is of kind '', which nothing runs", "fine" }, objections "```\nx\n```\n  ~~~sh\nx\n~~~\n")
    assert.same({ "has no end" }, objections "```lua\nx()\n")
    assert.same({ "fine" }, objections "<!-- not run: needs root -->\n```python\nx\n```")
    assert.same({ "is of kind 'python', which nothing runs" }, objections "<!-- not run: -->\n```python\nx\n```")
    assert.same({ "fine" }, objections "<!-- output -->\n```text\nx\n```")
    assert.same({ "has a mark that means nothing: sometimes" }, objections "<!-- sometimes -->\n```sh\nx\n```")
  end)

  if os.getenv "LUA_VERSION" ~= "5.4" then return end
  it("that is said to go on until it is interrupted does", function()
    local path = os.tmpname()
    finally(function() os.remove(path) end) -- luacheck: ignore
    local function says(script)
      local file = assert(io.open(path, "w"))
      file:write("<!-- until interrupted -->\n```sh\n" .. script .. "\n```\n\n```sh\nsleep 0.2\n```\n")
      file:close()
      local ok, err = pcall(markdown.run, path)
      return ok or tostring(err)
    end
    assert.is_true(says "echo begins; sleep 60")
    assert.matches(":2 ended by itself:\nends\n", says "echo ends; exit 1")
  end)
end)
