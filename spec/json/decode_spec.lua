local core = require "ampersand.core"
local random_json = require "support.random_json"

local function sorted(value) return (core.encode(value, { sort_keys = true })) end

describe("decode", function()
  it("reads every kind of value", function()
    local value = assert(core.decode [[{"a": [1, 2.5, true, false, null], "b": {"c": "x\u00e9\ud83d\ude00\n"}}]])
    local expected = { 1, 2.5, true, false, core.null }
    for i = 1, 5 do assert.equal(expected[i], value.a[i]) end
    assert.equal(5, #value.a)
    assert.equal("x\195\169\240\159\152\128\n", value.b.c)
    assert.equal(core.array_mt, getmetatable(value.a))
    assert.is_nil(getmetatable(value.b))
  end)

  it("rounds by every digit of a number, however many there are", function()
    local tie = "9007199254740993" -- half way between two doubles: the even one, unless anything follows
    for _, zeros in ipairs { 10, 800, 2000 } do
      local nothing = tie .. "." .. ("0"):rep(zeros)
      assert.equal(9007199254740992, core.decode(nothing))
      assert.equal(9007199254740994, core.decode(nothing .. "1"))
      assert.equal(9007199254740992, core.decode(tie .. ("0"):rep(zeros) .. "e-" .. zeros))
      assert.equal(9007199254740994, core.decode(tie .. ("0"):rep(zeros) .. "1e-" .. zeros + 1))
    end
  end)

  it("keeps names of any length", function()
    for _, length in ipairs { 1, 32, 33, 1000, 100000 } do
      local name = ("k"):rep(length)
      assert.are.same({ [name] = 1 }, core.decode('{"' .. name .. '":1}'))
    end
  end)

  it("takes the last of members with one name", function()
    assert.are.same({ a = 3, b = 2 }, core.decode '{"a":1,"b":2,"\\u0061":3}')
  end)

  it("says where and what is wrong", function()
    local value, message, kind, detail = core.decode '{"a":\n  [1, 2,]}'
    assert.is_nil(value)
    assert.equal([[line 2, column 9 (byte 14): expected a value, got ']' after {"a":\x0a  [1, 2,]], message)
    assert.equal("decode", kind)
    assert.are.same({ line = 2, column = 9, offset = 14, expected = "a value" }, detail)
  end)
end)

describe("decoder", function()
  local function elements(text, size, options)
    local decoder, found = core.decoder(options), {}
    for from = 1, #text, size do
      assert(decoder:feed(text:sub(from, from + size - 1)))
      local status = assert(decoder:collect(found))
      assert.equal("more", status)
    end
    decoder:finish()
    local status, count = decoder:collect(found)
    return found, status, count, decoder
  end

  it("gives elements while chunks arrive", function()
    for size = 1, 8 do
      local found, status = elements([=[ [ {"a":"]}"} , [2, "\"["], 3 , "x", null ] ]=], size)
      assert.equal("end", status)
      assert.equal("]}", found[1].a)
      assert.equal('"[', found[2][2])
      assert.are.same({ 3, "x", core.null }, { found[3], found[4], found[5] })
      assert.equal(5, #found)
    end
  end)

  it("streams the array at a path and keeps what is around it", function()
    for size = 1, 8 do
      local text = '{"x":1,"p":{"y":[1],"results":[{"a":1},{"a":2}],"z":{}},"pagination":{"done":true}}'
      local found, status, _, decoder = elements(text, size, { path = { "p", "results" } })
      assert.equal("end", status)
      assert.are.same({ { a = 1 }, { a = 2 } }, found)
      local around = decoder:envelope()
      assert.equal('{"p":{"y":[1],"z":{}},"pagination":{"done":true},"x":1}', core.encode(around, { sort_keys = true }))
    end
  end)

  it("remembers its first error", function()
    local decoder = core.decoder()
    decoder:feed("{}")
    local first = { decoder:next() }
    assert.are.same(first, { decoder:next() })
    assert.are.same(first, { decoder:feed("[]") })
    assert.are.same(first, { decoder:collect({}) })
    assert.are.same(first, { decoder:count() })
    assert.is_nil(decoder:envelope())
    assert.truthy(first[2]:find("expected an array, got an object", 1, true))
  end)

  it("reads a long array as it reads a short one", function()
    local element = '{"a":[1,2,{"b":"x\\n"}],"c":null}'
    local count = 2000 -- more than is read at a time
    local text = "[" .. (element .. ", "):rep(count) .. "7 ]"
    local list = core.decode(text)
    assert.equal(core.array_mt, getmetatable(list))
    assert.equal(count + 1, #list)
    assert.equal(7, list[count + 1])
    for i = 1, count, 97 do assert.are.same(core.decode(element), list[i]) end
    assert.is_nil(core.decode(text, { nulls = "drop" })[count].c)
    local padding = (" "):rep(1024 * 1024)
    assert.equal("[]", core.encode(core.decode(padding .. "[ ]")))

    local function refusal(broken, options)
      local value, message, kind = core.decode(broken, options)
      assert.is_nil(value)
      return kind .. " " .. message:gsub("^.-: ", "")
    end
    assert.truthy(refusal(text:sub(1, -3)):find("expected ',' or ']', got the end of the text", 1, true))
    assert.truthy(refusal(text:sub(1, -4)):find("expected a value, got the end of the text", 1, true))
    assert.truthy(refusal(text .. "x"):find("expected the end of the text, got 'x'", 1, true))
    assert.truthy(refusal(text:sub(1, -2) .. "}"):find("expected ',' or ']', got '}'", 1, true))
    assert.truthy(refusal(text, { max_values = 0 }):find("limit more values than max_values (0)", 1, true))
    local values = count * 7 + 2
    assert.is_true(core.decode(text, { max_values = values }) ~= nil)
    assert.truthy(refusal(text, { max_values = values - 1 }):find("limit more values than max_values", 1, true))
    assert.is_true(core.decode(text, { max_depth = 4 }) ~= nil)
    assert.truthy(refusal(text, { max_depth = 3 }):find("limit nested deeper than max_depth (3)", 1, true))
  end)

  -- Long texts are read in parts: tables that are open at the end of one go on in the next.
  it("reads a long text of any shape as its pieces", function()
    local random = random_json.random(20261128)
    for round = 1, 4 do
      local pieces, members = {}, {}
      for i = 1, 2500 do
        pieces[i] = random_json.document(random, 4)
        members[i] = ('%s "m%d" : %s'):format(i % 7 == 0 and '"twice":0,' or "", i, pieces[i])
      end
      local options = round % 2 == 0 and { nulls = "drop" } or nil
      local around = ("["):rep(60) .. '{"a":%s,"b":[%s],"c":{}}' .. (",7]"):rep(60)
      local value = core.decode(around:format("{" .. table.concat(members, ",") .. "}", table.concat(pieces, ",")),
        options)
      for _ = 1, 60 do
        assert.equal(7, value[2])
        value = value[1]
      end
      assert.same({}, value.c)
      assert.equal(0, value.a.twice)
      for i, piece in ipairs(pieces) do
        local whole = core.decode(piece, options)
        local text = sorted(whole)
        if text ~= sorted(value.b[i]) then assert.same(whole, value.b[i]) end
        if whole == core.null and options then whole, text = nil, nil end
        if text ~= sorted(value.a["m" .. i]) then assert.same(whole, value.a["m" .. i]) end
      end
      assert.equal(core.array_mt, getmetatable(value.b))
      assert.is_nil(getmetatable(value.a))
    end
  end)

  it("reads one long object, deep ones, and long ones that are broken", function()
    local members = {}
    for i = 1, 30000 do members[i] = ('"n%d":%d'):format(i % 20000, i) end
    local object = core.decode("{" .. table.concat(members, ",") .. "}")
    assert.equal(20001, object.n1)
    assert.equal(19999, object.n19999)
    local deep = ("[1,"):rep(300) .. ("[2,"):rep(600) .. "3" .. (",4]"):rep(600) .. ("]"):rep(300)
    local wide = "[" .. (deep .. ","):rep(9) .. deep .. "]"
    assert.equal(wide, core.encode(core.decode(wide)))
    for _, cut in ipairs { 4096, 5000, 12345, #wide - 1 } do
      local value, message = core.decode(wide:sub(1, cut))
      assert.is_nil(value)
      assert.is_truthy(message:find("got the end of the text", 1, true))
    end
    local value, message = core.decode(wide:sub(1, -2) .. "x")
    assert.is_nil(value)
    assert.is_truthy(message:find("expected ',' or ']', got 'x'", 1, true))
  end)

  it("counts up to what is wrong", function()
    local decoder = core.decoder()
    decoder:feed '[{"a":1},2'
    assert.same({ "more", 1 }, { decoder:count() })
    decoder:feed ',x'
    decoder:finish()
    local status, message, kind = decoder:count()
    assert.same({ "nil", "decode" }, { tostring(status), kind })
    assert.truthy(message:find("expected a value, got 'x'", 1, true), message)
  end)

  it("takes no bytes once it was told that no more will come", function()
    local decoder = core.decoder()
    decoder:feed "["
    decoder:finish()
    assert.has_error(function() decoder:feed "1]" end, "the decoder is finished: no more input is accepted")
  end)

  it("has an envelope once the end is reached", function()
    local decoder = core.decoder { path = { "list" } }
    decoder:feed '{"list":[1],"a":2'
    assert.equal("value", (decoder:next()))
    assert.is_nil(decoder:envelope())
    decoder:feed "}"
    decoder:finish()
    assert.equal("end", (decoder:next()))
    assert.are.same({ a = 2 }, decoder:envelope())
  end)

  it("refuses work after close, which may be repeated", function()
    local decoder = core.decoder()
    decoder:close()
    decoder:close()
    assert.has_error(function() decoder:next() end, "the decoder is closed")
    assert.error_matches(function() decoder.next {} end, "ampersand.decoder", 1, true)
  end)
end)
