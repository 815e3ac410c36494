-- Values that follow each other, texts in pieces, and how they look.
local json = require "ampersand.json"
local random_json = require "support.random_json"

local function in_chunks(text, size)
  local from = 1
  return function()
    local chunk = text:sub(from, from + size - 1)
    from = from + size
    return chunk ~= "" and chunk or nil
  end
end

local function read(source, options)
  local list = {}
  for value in json.each(source, options) do list[#list + 1] = value end
  return list
end

describe("json.each with lines", function()
  it("reads NDJSON and concatenated values, whatever the chunks are", function()
    local text = '{"a":1}\n{"a":2}\r\n\n[1,2] [] "x""y"{}{"b":\n[true]}null 12 -3.5e1\ttrue\n'
    local expected = { { a = 1 }, { a = 2 }, { 1, 2 }, {}, "x", "y", {}, { b = { true } }, json.null, 12, -35, true }
    for size = 1, #text + 1 do assert.same(expected, read(in_chunks(text, size), { lines = true })) end
    assert.same(expected, read(text, { lines = true }))
    assert.same({ 7 }, read("7", { lines = true }))
    for _, empty in ipairs { "", " ", "\n\n" } do assert.same({}, read(empty, { lines = true })) end
  end)

  it("gives what decode gives of each", function()
    local random = random_json.random(226)
    for _ = 1, 50 do
      local values, texts = {}, {}
      for i = 1, 20 do
        texts[i] = random_json.document(random, 4)
        values[i] = json.decode(texts[i])
      end
      local text = table.concat(texts, random(2) == 1 and "\n" or " \n ")
      assert.same(values, read(in_chunks(text, 1 + random(100)), { lines = true }))
    end
  end)

  it("filters and limits each value", function()
    local text = '{"id":1,"x":{"y":2}}\n{"id":2}\n{"id":3,"x":{"y":4}}'
    assert.same({ { x = { y = 2 } }, { x = { y = 4 } } },
      read(text, { lines = true, where = { ["x.y"] = { present = true } }, select = { "x" } }))
    assert.same({ { id = 2 } }, read(text, { lines = true, where = function(value) return not value.x end }))
    local decoder = json.decoder { lines = true, max_element_values = 2 }
    decoder:feed "[1] [1] [1,2]"
    assert.same({ "value", "value", "limit" }, { (decoder:next()), (decoder:next()), (select(3, decoder:next())) })
  end)

  it("says where a text is wrong, counting lines from the first one", function()
    for text, expected in pairs {
      ['{"a":1}\n{"a":}'] = "line 2, column 6 (byte 13): expected a value, got '}'",
      ['{"a":1}\n{"a":'] = "line 2, column 6 (byte 13): expected a value, got the end of the text",
      ["1 2x"] = "line 1, column 4 (byte 3): expected white space, got 'x'",
      ["[1],[2]"] = "line 1, column 4 (byte 3): expected a value, got ','",
      ["1 tru"] = "expected a value, got the end of the text",
    } do
      for size = 1, #text do
        local ok, message = pcall(read, in_chunks(text, size), { lines = true })
        assert.is_false(ok)
        assert.is_truthy(message:find(expected, 1, true), message)
      end
    end
    assert.error_matches(function() json.each("1", { lines = true, path = { "a" } }) end, "option lines")
    assert.error_matches(function() json.decode("1", { lines = true }) end, 'unknown option "lines"')
  end)
end)

describe("json.encoder", function()
  local function pieces(value, options)
    local encoder, list = json.encoder(value, options), {}
    while true do
      local piece, message = encoder:next()
      if not piece then return list, message end
      assert.is_true(#piece > 0 and #piece <= 65536)
      list[#list + 1] = piece
    end
  end

  it("gives the text of encode in pieces of at most 64 KB", function()
    local random = random_json.random(203)
    for _ = 1, 6 do
      local list = json.array {}
      for i = 1, random(1500) do
        list[i] = { text = ("é\n"):rep(random(60)), document = json.decode(random_json.document(random, 4)), more = { { { i } } } }
      end
      list[#list + 1] = ("long\0"):rep(random(60000))
      for _, options in ipairs { {}, { sort_keys = true }, { indent = 2 }, { indent = "\t", sort_keys = true } } do
        assert.equal(json.encode(list, options), table.concat((pieces(list, options))))
      end
    end
    for _, value in ipairs { 1, "x", true, json.null, {}, json.array {}, ("y"):rep(200000) } do
      assert.equal(json.encode(value), table.concat((pieces(value))))
    end
  end)

  it("holds a piece, not the text", function()
    local list = json.array {}
    for i = 1, 100000 do list[i] = "twenty bytes or more" end
    local encoder = json.encoder(list)
    collectgarbage()
    local before = collectgarbage "count"
    repeat
      local piece = encoder:next()
      collectgarbage()
      assert.is_true(collectgarbage "count" - before < 300)
    until not piece
  end)

  it("says what cannot be encoded, then and ever after", function()
    local list, message = pieces { ("x"):rep(100000), { a = print } }
    assert.is_true(#list <= 2)
    assert.equal("cannot encode a function at [2].a", message)
    local encoder = json.encoder { print }
    for _ = 1, 3 do assert.same({ nil, "cannot encode a function at [1]" }, { encoder:next() }) end
    local done = json.encoder(1)
    assert.equal("1", done:next())
    for _ = 1, 3 do assert.is_nil((done:next())) end
    assert.error_matches(function() json.encoder({}, { indnet = 2 }) end, 'did you mean "indent"')
  end)

  it("is collected between two pieces, and is deep", function()
    local deep = { ("x"):rep(70000) }
    for _ = 1, 900 do deep = { ("x"):rep(100), deep } end
    assert.equal(json.encode(deep), table.concat((pieces(deep))))
    for _ = 1, 50 do json.encoder(deep):next() end
    collectgarbage()
  end)
end)

describe("json.encode with indent", function()
  it("breaks lines as other encoders do, and reads back equal", function()
    local value = json.decode '{"a":[1,[],{},{"b":null}],"c":"x"}'
    assert.equal([[{
  "a": [
    1,
    [],
    {},
    {
      "b": null
    }
  ],
  "c": "x"
}]], json.encode(value, { indent = 2, sort_keys = true }))
    assert.equal('{\n\t"a": 1\n}', json.encode({ a = 1 }, { indent = "\t" }))
    assert.equal("[\n1\n]", json.encode({ 1 }, { indent = 0 }))
    assert.equal("[]", json.encode(json.array {}, { indent = 4 }))
    local random = random_json.random(5)
    for _ = 1, 300 do
      local document = json.decode(random_json.document(random, 5))
      for _, indent in ipairs { 0, 1, 16, "", " \t" } do
        assert.same(document, json.decode(json.encode(document, { indent = indent })))
      end
    end
  end)

  it("refuses what would not be white space", function()
    for _, indent in ipairs { -1, 17, 0 / 0, "x", "\n", (" "):rep(17), true, {} } do
      local ok, message = pcall(function() local text = json.encode({}, { indent = indent }) return text end)
      assert.is_false(ok)
      assert.matches("^spec/json/lines_spec.lua:%d+: option indent", message)
    end
  end)
end)

describe("json.is_array", function()
  it("says how encode writes a table", function()
    local mixed, object = { 1, x = 2 }, setmetatable({ 1 }, { __jsontype = "object" })
    for _, case in ipairs { { {}, false }, { json.array {}, true }, { { 1, 2 }, true }, { mixed, false }, { { a = 1 }, false },
      { setmetatable({}, { __jsontype = "array" }), true }, { object, false }, { "x", false }, { json.null, false } } do
      assert.equal(case[2], json.is_array(case[1]))
      local text = json.encode(case[1])
      if text then assert.equal(case[2], text:sub(1, 1) == "[") end
    end
    assert.is_false(json.is_array())
  end)
end)
