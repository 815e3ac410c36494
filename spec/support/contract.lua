-- What every transport promises (the list is at the top of transport/curl.lua), checked in any host: no busted here.

local contract = {}

local KINDS = {}
for kind in ("resolve connect tls timeout closed protocol limit phase cancelled config"):gmatch "%a+" do KINDS[kind] = true end

local function request(transport, base, change)
  local req = { method = "GET", url = base, headers = {}, timeout = 5, connect_timeout = 5, read_timeout = 5, resend = false }
  for name, value in pairs(change or {}) do req[name] = value end
  local ok, res, message, kind, sent = pcall(transport.request, transport, req)
  if not ok then return "it raised: " .. tostring(res) end
  if res then return res end
  if type(message) ~= "string" or not KINDS[kind] or type(sent) ~= "boolean" then
    return ("not an error: %s, %s, %s"):format(tostring(message), tostring(kind), tostring(sent))
  end
  return ("%s %s"):format(kind, tostring(sent)), message
end

local function body_of(res, most)
  local parts = {}
  while true do
    local piece, message, kind = res.read(most)
    if not piece then return kind and kind .. ": " .. message or table.concat(parts) end
    if piece == "" then return "an empty piece" end
    parts[#parts + 1] = piece
  end
end

--- Tries a transport.
---@param make fun(): table
---@param places table answer (URL of "hello" with a header X-Upper), missing (404), coded (503, br), closed (nobody listens), silent
---@param token table a cancelled one
---@return string[] problems
function contract.check(make, places, token)
  local problems, transport = {}, make()
  local function expect(what, expected, got, words)
    if got ~= expected then
      problems[#problems + 1] = ("%s: expected %s, got %s (%s)"):format(what, tostring(expected), tostring(got), tostring(words))
    end
  end
  for _, most in ipairs { 3, 1e6 } do
    local res = request(transport, places.answer)
    if type(res) ~= "table" then return { "no answer: " .. res } end
    expect("status", 200, res.status)
    expect("a header in lower case", "Mixed", res.headers["x-upper"])
    expect("body", "hello", body_of(res, most))
    expect("what comes after the end", nil, (res.read()))
    res.close(true)
    expect("reading after close", "cancelled", select(3, res.read()))
    res.close(true)
  end
  local res = request(transport, places.missing)
  expect("an answer with an error status", 404, type(res) == "table" and res.status or res)
  if type(res) == "table" then res.close() end
  res = request(transport, places.coded)
  expect("an error in an unknown coding", 503, type(res) == "table" and res.status or res)
  if type(res) == "table" then
    expect("its body", nil, (res.read()))
    res.close()
  end
  expect("no server", "connect false", request(transport, places.closed))
  expect("no answer in time", "timeout true", request(transport, places.silent, { timeout = 0.3 }))
  expect("a header that breaks the frame", "config false", request(transport, places.answer, { headers = { A = "b\r\nc: d" } }))
  expect("another scheme", "config false", request(transport, "ftp://127.0.0.1/"))
  expect("a cancelled token", "cancelled false", request(transport, places.answer, { cancel = token }))
  transport:sleep(0)
  transport:sleep(10, token)
  if transport.close then
    transport:close()
    expect("a closed transport", "cancelled false", request(transport, places.answer))
  end
  return problems
end

return contract
