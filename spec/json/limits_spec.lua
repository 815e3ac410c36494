-- Limits, errors and streams that break off: the same words whatever the chunks are.
local core = require "ampersand.core"

-- Has the collector call `finalizer` once. In Lua 5.1 tables have no finalizers.
local function on_collection(finalizer)
  local proxy = rawget(_G, "newproxy")
  if proxy then
    getmetatable(proxy(true)).__gc = finalizer
  else
    setmetatable({}, { __gc = finalizer })
  end
end

local function finish(text, size, options)
  local decoder, found = core.decoder(options), {}
  for from = 1, #text, size do
    local answer = { decoder:feed(text:sub(from, from + size - 1)) }
    if answer[1] then answer = { decoder:collect(found) } end
    if answer[1] == nil then return answer, found end
  end
  decoder:finish()
  return { decoder:collect(found) }, found
end

local function assert_same_in_chunks(text, options, message, kind, count)
  for size = 1, 9 do
    local answer, found = finish(text, size == 9 and #text + 1 or size, options)
    assert.is_nil(answer[1])
    assert.equal(message, answer[2])
    assert.equal(kind, answer[3])
    assert.equal(count, #found)
  end
end

describe("limits", function()
  it("bound the depth", function()
    local function nested(n) return ("["):rep(n) .. ("]"):rep(n) end
    assert.truthy(core.decode(nested(1000)))
    local value, message, kind = core.decode(nested(1001))
    assert.is_nil(value)
    assert.equal("limit", kind)
    assert.equal("line 1, column 1001 (byte 1000): nested deeper than max_depth (1000)", message)
    assert.truthy(core.decode(nested(2000), { max_depth = 2000 }))
    assert_same_in_chunks("[[],[[[]]]]", { max_depth = 3 },
      "line 1, column 7 (byte 6): nested deeper than max_depth (3)", "limit", 1)
  end)

  it("answer, and do not crash, where Lua's own stack ends", function()
    local depth = 600000
    local nested, limits = ("["):rep(depth) .. ("]"):rep(depth), { max_depth = depth + 3 }
    local function refused(value, message, kind)
      assert.is_nil(value)
      assert.equal("limit", kind)
      assert.truthy(message:find("nested deeper than this Lua's stack allows", 1, true), message)
    end
    refused(core.decode(nested, limits))
    refused(core.decode('{"a":' .. nested .. "}", limits))
    refused(core.decode('{"a":[' .. nested .. "]}", { max_depth = depth + 3, path = { "a" } }))
    local decoder = core.decoder(limits)
    decoder:feed("[" .. nested .. "]")
    refused(decoder:collect {})
    refused(decoder:next())
  end)

  it("bound the depth while the bytes arrive, whatever brings it", function()
    for _, opening in ipairs { "[", '{"a":', '[{"a":[1,"]]",', '{"a":1,"b":' } do
      for _, before in ipairs { "", "[", '[{"x":1},', '{"other":' } do
        for _, read in ipairs { "next", "count", "collect" } do
          local decoder = core.decoder { expect = (before .. opening):find "^{" and "any" or "array" }
          decoder:feed(before)
          local fed, status, message, kind = 0, "more", nil, nil
          while status and fed < 100000 do
            decoder:feed(opening:rep(200))
            fed = fed + 200
            status, message, kind = decoder[read](decoder, {})
          end
          local case = before .. opening .. " " .. read
          assert.equal("limit", kind, case)
          assert.matches("nested deeper than max_depth %(1000%)", message, nil, case)
          assert.is_true(fed <= 1400, case)
        end
      end
    end
  end)

  it("let wide siblings pass at depth 300", function()
    local text = ("[" .. ("1,"):rep(50)):rep(300) .. "1" .. ("]"):rep(300)
    assert.truthy(core.decode(text))
    local object = '{"a":1,"b":2,"c":'
    assert.truthy(core.decode(object:rep(900) .. "1" .. ("}"):rep(900)))
  end)

  it("bound the values", function()
    assert.truthy(core.decode("[1,2,3]", { max_values = 4 }))
    local value, message, kind = core.decode("[1,2,3]", { max_values = 3 })
    assert.is_nil(value)
    assert.equal("limit", kind)
    assert.truthy(message:find("more values than max_values (3)", 1, true))
    assert_same_in_chunks("[1,[2],[3,4],[5]]", { max_element_values = 2 }, "line 1, column 11 (byte 10): " ..
      "more values than max_element_values (2)", "limit", 2)
  end)

  it("bound the bytes of an element", function()
    assert_same_in_chunks('["1234567890",1,"12345678901"]', { max_element_bytes = 12 },
      "line 1, column 29 (byte 28): a value of more bytes than max_element_bytes (12)", "limit", 2)
  end)

  it("that an element breaks twice are named alike, whatever the chunks are", function()
    local both = { max_element_values = 5, max_element_bytes = 40, max_depth = 4 }
    assert_same_in_chunks('[{"a":[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17]}]', both,
      "line 1, column 42 (byte 41): a value of more bytes than max_element_bytes (40)", "limit", 0)
    assert_same_in_chunks('[{"a":[1,2,3,4,5,6,7,8]}]', both,
      "line 1, column 14 (byte 13): more values than max_element_values (5)", "limit", 0)
    assert_same_in_chunks('[{"a":1"b":[[[[]]]],"c":[1,2,3,4,5,6,7,8,9,10,11,12]}]', both,
      "line 1, column 8 (byte 7): expected ',' or '}', got '\"' after {\"a\":1", "decode", 0)
  end)

  it("bound the bytes around the array at the path", function()
    local decoder = core.decoder { path = { "list" }, max_element_bytes = 20 }
    decoder:feed '{"a":"123456789","b":"123456789","list":[1]}'
    local status, message, kind = decoder:next()
    assert.is_nil(status)
    assert.equal("limit", kind)
    assert.truthy(message:find("more bytes around the array than max_element_bytes (20)", 1, true), message)
  end)

  it("bound the bytes in all", function()
    assert_same_in_chunks("[10,20,30,40]", { max_bytes = 8 },
      "line 1, column 9 (byte 8): more bytes than max_bytes (8)", "limit", 2)
    local value, _, kind = core.decode("[10,20,30,40]", { max_bytes = 8 })
    assert.is_nil(value)
    assert.equal("limit", kind)
  end)

  it("end a bomb with little memory", function()
    local decoder, chunk = core.decoder(), ("[1],"):rep(16384)
    decoder:feed "[["
    collectgarbage()
    local before, status, message, kind = collectgarbage "count", nil, nil, nil
    for _ = 1, 8192 do
      decoder:feed(chunk)
      status, message, kind = decoder:next()
      if status == nil then break end
    end
    assert.is_nil(status)
    assert.equal("limit", kind)
    assert.truthy(message:find("max_element_bytes (16777216)", 1, true))
    assert.is_true(collectgarbage "count" - before < 1024)
  end)

  it("say which option is wrong", function()
    assert.has_error(function() core.decoder { max_depth = "x" } end)
    assert.has_error(function() core.decoder { max_bytes = -1 } end)
    assert.has_error(function() core.decoder { nulls = "maybe" } end)
    assert.has_error(function() core.decoder { path = "results" } end)
    assert.has_error(function() core.decoder { path = { 1 } } end)
    assert.has_error(function() core.decode("[]", { expect = "object" }) end)
    assert.has_error(function() core.decode(12) end)
  end)
end)

describe("errors", function()
  local cases = {
    { "", "line 1, column 1 (byte 0): expected a value, got the end of the text", 0 },
    { "{}", "line 1, column 1 (byte 0): expected an array, got an object", 0 },
    { '"x"', "line 1, column 1 (byte 0): expected an array, got a string", 0 },
    { "\239\187\191[]", "line 1, column 1 (byte 0): expected an array, got '\\xef'", 0 },
    { "[1,\n 2", "line 2, column 3 (byte 6): expected ',' or ']', got the end of the text", 2 },
    { "[1,\n 2,", "line 2, column 4 (byte 7): expected a value, got the end of the text", 2 },
    { "[1 2]", "line 1, column 4 (byte 3): expected ',' or ']', got '2'", 1 },
    { "[1,]", "line 1, column 4 (byte 3): expected a value, got ']'", 1 },
    { "[1]]", "line 1, column 4 (byte 3): expected the end of the text, got ']'", 1 },
    { '[{"a":1,}]', "line 1, column 9 (byte 8): expected a member's name in quotes, got '}' after {\"a\":1,", 0 },
    { '[{"a"}]', "line 1, column 6 (byte 5): expected ':', got '}' after {\"a\"", 0 },
    { '[{"a":1]', "line 1, column 8 (byte 7): expected ',' or '}', got ']' after {\"a\":1", 0 },
    { '[tru]', "line 1, column 2 (byte 1): expected a value, got 't'", 0 },
    { '["\\x"]', "line 1, column 4 (byte 3): expected an escape (one of \" \\ / b f n r t u), got 'x' after \"\\", 0 },
    { '["\\u12g4"]', "line 1, column 3 (byte 2): expected four hexadecimal digits after \\u, got '\\' after \"", 0 },
    { '["a\nb"]', "line 1, column 4 (byte 3): a control character in a string (it must be escaped) after \"a", 0 },
    { '["a\0b"]', "line 1, column 4 (byte 3): a control character in a string (it must be escaped) after \"a", 0 },
    { '["\\udc00"]', "line 1, column 3 (byte 2): a lone surrogate after \"", 0 },
    { '["\240\159\152x"]', "line 1, column 3 (byte 2): invalid UTF-8 after \"", 0 },
    { '["\237\160\128"]', "line 1, column 3 (byte 2): invalid UTF-8 after \"", 0 },
    { '[1e400]', "line 1, column 2 (byte 1): a number out of range", 0 },
    { '["abc', "line 1, column 6 (byte 5): expected the end of a string, got the end of the text after \"abc", 0 },
  }

  it("say where, what was expected and what was there, alike for all chunks", function()
    for _, case in ipairs(cases) do
      assert_same_in_chunks(case[1], nil, case[2], "decode", case[3])
    end
  end)

  it("say that the text ended wherever it is cut, alike for all chunks", function()
    local whole = '[true,false,null,-0.5e+1,12,{"a\\u00e9":"\\ud83d\\ude00\\n"},"\195\169\226\130\172\237\159\191\240\159\152\128",'
      .. '"\244\143\191\191\224\160\128\240\144\128\128",[[],{}],{"b" : [ true ] , "c":nul'
    whole = whole .. "l}]"
    assert.is_truthy(core.decode(whole))
    for size = 0, #whole - 1 do
      local text = whole:sub(1, size)
      local where = (" (byte %d): "):format(size)
      for _, options in ipairs { { mask = true }, {} } do
        local value, message = core.decode(text, options)
        assert.is_nil(value)
        assert.is_truthy(message:find(where, 1, true) and message:find(", got the end of the text", 1, true), text .. "\n" .. message)
        assert.equal(message:match "%b().*", select(2, core.decode(text, options)):match "%b().*")
      end
      for chunk = 1, 5, 2 do
        local answer = finish(text, chunk)
        assert.is_nil(answer[1])
        assert.is_truthy(answer[2]:find(where, 1, true) and answer[2]:find(", got the end of the text", 1, true), answer[2])
      end
    end
  end)

  it("do not say so of what is wrong before the end", function()
    for _, text in ipairs {
      "[tru]", "[trux", "[nul ", "[falze", '["\\u12"]', '["\\u12x', '["\\ud83d"', '["\\ud83dx', '["\\ud83d\\x', '["\\ud83d\\u0041',
      '["\\ud83d\\ud83d', '["\\ude00', '["\195x', '["\195\195', '["\226\130x', '["\237\160', '["\240\143', '["\244\144', '["\192', '["\255',
      "[1]]", "[+", "[01", '["\1',
    } do
      local value, message = core.decode(text)
      assert.is_nil(value)
      assert.is_nil(message:find("got the end of the text", 1, true), text .. "\n" .. message)
    end
  end)

  it("show no contents when they are masked", function()
    for _, case in ipairs(cases) do
      local answer = finish('["sesame",' .. case[1]:sub(2), 3, { mask = true })
      assert.is_nil(answer[2]:find("after", 1, true) and not answer[2]:find("after \\u", 1, true)
        and not answer[2]:find("after the decimal", 1, true) or nil, answer[2])
      assert.is_nil(answer[2]:find("sesame", 1, true))
    end
  end)

  it("say what is wrong around the array at the path", function()
    for text, expected in pairs {
      ['{1:[]}'] = "a member's name in quotes, got '1'", ['{"a" 1}'] = "':', got '1'", ['{"a":1 "list":[]}'] = "',' or '}', got '\"'",
      ['{"list":[]]'] = "',' or '}', got ']'", ['{"list":[],"a":1x}'] = "',' or '}', got 'x'",
    } do
      for size = 1, #text do
        local decoder = core.decoder { path = { "list" } }
        for from = 1, #text, size do decoder:feed(text:sub(from, from + size - 1)) end
        decoder:finish()
        local status, message, kind = decoder:collect {}
        assert.same({ "nil", "decode" }, { tostring(status), kind })
        assert.truthy(message:find("expected " .. expected, 1, true), message)
      end
    end
  end)

  it("name what is missing at the path", function()
    local options = { path = { "a", "b" } }
    assert_same_in_chunks('{"a":{"c":[]}}', options,
      "line 1, column 15 (byte 14): expected the member at the path, got the end of the text", "decode", 0)
    assert_same_in_chunks('{"a":[]}', options,
      "line 1, column 6 (byte 5): expected an object, got an array", "decode", 0)
    assert_same_in_chunks('{"a":{"b":null}}', options, "line 1, column 11 (byte 10): expected an array, got null",
      "decode", 0)
    assert_same_in_chunks('{"a":{"b":[1],"b":[2]}}', options,
      "line 1, column 15 (byte 14): expected the array at the path only once, got '\"'", "decode", 1)
    assert_same_in_chunks('{"x":[1,],"a":{"b":[1]}}', options,
      "line 1, column 9 (byte 8): expected a value, got ']'", "decode", 0)
  end)
end)

describe("options", function()
  it("drop nulls from objects, not from arrays", function()
    local value = core.decode('{"a":null,"b":[null,1],"c":{"d":null}}', { nulls = "drop" })
    assert.are.same({ b = { core.null, 1 }, c = {} }, value)
    assert.are.same({}, core.decode('{"a":1,"a":null}', { nulls = "drop" }))
  end)

  it("keep big integers as text", function()
    local value = core.decode("[12345678901234567890,-1,9007199254740993]", { big_integers = "string" })
    assert.equal("12345678901234567890", value[1])
    assert.equal(-1, value[2])
    assert.equal("9007199254740993", ("%s"):format(value[3]))
  end)

  it("find the value at a path of a whole text", function()
    assert.are.same({ 1, 2 }, core.decode('{"p":{"q":[1,2]}}', { path = { "p", "q" } }))
    assert.are.same({ x = 1 }, core.decode('{"p":{"q":{"x":1}}}', { path = { "p", "q" } }))
    assert.is_nil((core.decode('{"p":{"q":{"x":1}}}', { path = { "p", "q" }, expect = "array" })))
  end)
end)

describe("a decoder", function()
  it("counts without tables and stops when the list is full", function()
    local decoder = core.decoder()
    decoder:feed "[1,2,3,4"
    local list = {}
    assert.are.same({ "full", 2 }, { decoder:collect(list, 2) })
    assert.are.same({ "more", 1 }, { decoder:count() })
    decoder:feed ",5]"
    decoder:finish()
    assert.are.same({ "end", 2 }, { decoder:count() })
    assert.are.same({ 1, 2 }, list)
  end)

  it("survives a finalizer that comes back while tables are built", function()
    local decoder, text = core.decoder(), '[{"a":["x","y"],"b":{"c":[1,2,3]}}'
    local calls = 0
    local function disturb()
      calls = calls + 1
      pcall(decoder.next, decoder)
      decoder:close()
      core.decode('{"k\\n' .. calls .. '":["z\\t' .. calls .. '"]}')
    end
    decoder:feed(text)
    for _ = 1, 50 do
      on_collection(disturb)
      core.decode('{"long key number ' .. calls .. '":["\\u0041' .. ("x"):rep(50) .. '"]}')
    end
    pcall(decoder.next, decoder)
    collectgarbage()
    assert.is_true(calls > 0)
    assert.has_error(function() decoder:next() end)
  end)

  -- Runs `f` with a finalizer that comes in the first allocation of it that looks at the collector.
  local function with_finalizer(finalizer, f)
    collectgarbage()
    collectgarbage "stop"
    on_collection(finalizer)
    local filled = {} -- luacheck: ignore
    local mode = _VERSION == "Lua 5.4" and collectgarbage("incremental", 100, 1000, 30)
    local factor = not mode and collectgarbage("setstepmul", 1000000) -- a whole cycle at once
    collectgarbage "restart"
    for i = 1, 40 do filled[i] = i end -- memory is taken: the collector is due
    f()
    if mode then
      collectgarbage("incremental", 200, 100, 13)
      collectgarbage(mode)
    else
      collectgarbage("setstepmul", factor)
    end
  end

  it("builds, decodes and says what is wrong, whatever a finalizer does in the middle of that", function()
    -- freed memory changes at once
    local pipe = assert(io.popen(("MALLOC_PERTURB_=85 %s spec/support/json_interrupted.lua 2>&1; echo $?"):format(os.getenv "LUA" or "lua")))
    local output = pipe:read "*a"
    pipe:close()
    assert.equal("0\n", output)
  end)

  it("writes the names of the tables it was given, although a finalizer changes them meanwhile", function()
    for round = 1, 4 do
      local first, third = {}, {}
      for i = 1, 200 do
        first[i] = { ["k" .. round .. "_" .. i] = i }
        third[i] = setmetatable({}, { __jsontype = "object" })
      end
      local root = { first, setmetatable({}, { __jsontype = "object" }), third }
      local text
      with_finalizer(function()
        for i = 1, 200 do
          first[i] = false
          third[i]["z" .. round .. "_" .. i] = i
        end
      end, function() text = core.encode(root) end)
      for i, element in ipairs(core.decode(text)[3]) do
        local name = next(element)
        assert.is_true(name == nil or name == "z" .. round .. "_" .. i, tostring(name))
      end
    end
  end)

  it("bounds the members outside the path alike, wherever they stand and whatever was read before", function()
    local function ends(decoder, text)
      decoder:feed(text)
      decoder:finish()
      local status
      repeat status = decoder:next() until status ~= "value"
      return status
    end
    local options = { path = { "r" }, max_values = 5 }
    assert.equal("end", ends(core.decoder(options), '{"x":[1,2,3,4,5,6],"r":[1,1,1,1,1]}'))
    local decoder = core.decoder(options)
    assert.equal("end", ends(decoder, '{"r":[1,1,1,1,1],"x":[1,2,3,4,5,6]}'))
    assert.equal(6, #decoder:envelope().x)
    assert.equal("end", ends(decoder:again(), '{"x":[1,2,3],"r":[1,2,3,4,5]}'))
    assert.is_nil(ends(decoder:again(), '{"r":[1,2,3,4,5,6]}'))
    assert.has_error(function() decoder:again() end, "a decoder that has failed reads no other text")
    options = { path = { "r" }, max_element_values = 3 }
    assert.is_nil(ends(core.decoder(options), '{"x":[1,2,3],"r":[]}'))
  end)

  it("reads text after text with one decoder, and gives back what a long one took", function()
    local decoder = core.decoder { expect = "any" }
    for round = 1, 3 do
      for _, text in ipairs { '{"a":[1,2]}', '"' .. ("x"):rep(300000) .. '"', "[" .. ("7,"):rep(20000) .. "8]", "3" } do
        decoder:feed(text)
        decoder:finish()
        local status, value = decoder:next()
        assert.equal("value", status)
        assert.same(core.decode(text), value)
        if round > 1 or text ~= "3" then assert.equal("end", decoder:next()) end
        assert.equal(decoder, decoder:again())
      end
    end
    decoder:feed "[1"
    decoder:again():feed "[2]"
    assert.same({ "value", { 2 } }, { decoder:finish():next() })
    decoder:close()
    assert.error_matches(function() decoder:again() end, "the decoder is closed")
  end)

  it("applies the limits of elements in whole texts, too", function()
    for _, options in ipairs { {}, { expect = "array" }, { expect = "any" } } do
      options.max_element_values = 2
      assert.same({ 1, 2, 3, 4 }, core.decode("[1,2,3,4]", options))
      assert.equal("limit", (select(3, core.decode("[[1,2],[1,2,3]]", options))))
      options.max_element_values, options.max_element_bytes = nil, 5
      assert.equal("limit", (select(3, core.decode('["aaaaaaaaaa"]', options))))
      assert.same({ "aaa" }, core.decode('["aaa"]', options))
    end
  end)

  it("survives a debug hook that raises around the C calls", function()
    local decoder = core.decoder()
    decoder:feed '[{"a":[1,2]},{"b":{"c":"x"}},3'
    local ways = {
      function() return core.decode('{"a":["x",{"b":1}]}') end,
      function() return core.encode { a = { "x", { b = 1 } } } end,
      function() return decoder:next() end,
    }
    local raised = 0
    for _, event in ipairs { "c", "r", "l" } do
      for _, way in ipairs(ways) do
        for skipped = 0, 3 do
          local left = skipped
          local function hook()
            left = left - 1
            if left < 0 then
              debug.sethook()
              error("from the hook", 0)
            end
          end
          -- hooks belong to a coroutine: the one of `make coverage` stays
          local fine, message = coroutine.resume(coroutine.create(function()
            debug.sethook(hook, event)
            way()
            debug.sethook()
          end))
          if not fine then
            raised = raised + 1
            assert.equal("from the hook", message)
          end
        end
      end
    end
    assert.is_true(raised > 0)
    assert.are.same({ a = { "x", { b = 1 } } }, core.decode('{"a":["x",{"b":1}]}'))
    assert.equal('{"a":["x",{"b":1}]}', core.encode { a = { "x", { b = 1 } } })
    decoder:feed "]"
    decoder:finish()
    assert.equal("end", (decoder:collect({})))
  end)

  -- Before Lua 5.4 such an error comes out of whatever allocates.
  it("survives a finalizer that raises while tables are built", function()
    local calls, armed, wrong = 0, true, nil
    local function disturb()
      calls = calls + 1
      if armed then error("from the finalizer", 0) end
    end
    local function once(i)
      on_collection(disturb)
      local text = ('[{"key %d":["%s"]}]'):format(i, ("x"):rep(i))
      collectgarbage "restart"
      local value = core.decode(text)
      collectgarbage "stop"
      assert.are.same({ { ["key " .. i] = { ("x"):rep(i) } } }, value)
    end
    collectgarbage "stop" -- but in decode: elsewhere the error would end whatever runs
    for i = 1, 200 do
      local fine, message = pcall(once, i)
      collectgarbage "stop"
      local is_text, found = pcall(string.find, message, "from the finalizer", 1, true)
      wrong = wrong or (not fine and not (is_text and found) and message)
    end
    repeat until pcall(collectgarbage)
    collectgarbage "restart"
    armed = false -- a register may still hold the last one
    if wrong then error(wrong, 0) end
    assert.is_true(calls > 0)
    assert.are.same({ { a = { "x" } } }, core.decode '[{"a":["x"]}]')
  end)

  it("is collected with a coroutine killed between elements", function()
    for _ = 1, 20 do
      local co = coroutine.wrap(function()
        local decoder = core.decoder()
        decoder:feed "[[1],[2]"
        coroutine.yield(decoder:next())
        coroutine.yield(decoder:next())
      end)
      assert.equal("value", co())
    end
    collectgarbage()
  end)
end)
