-- Takes the API's webhooks on a plain socket (luasocket), one after the other, and prints the records they bring. For
-- thousands a second, or within a website, see examples/openresty: there no worker blocks.
--
--     AMPERSAND_WEBHOOK_SECRET=whsec_… lua5.4 examples/webhook_receiver.lua 8080        until it is stopped
--     AMPERSAND_WEBHOOK_SECRET=whsec_… lua5.4 examples/webhook_receiver.lua 8080 10     ten messages

local ampersand = require "ampersand"
local socket = require "socket"

local MAX_BODY, MAX_HEADERS, PATIENCE = 4 * 1024 * 1024, 100, 10 -- bytes, lines, seconds

local port, count = tonumber(arg[1] or 8080), tonumber(arg[2] or math.huge)
local secret = os.getenv "AMPERSAND_WEBHOOK_SECRET"
if not secret then
  io.stderr:write("webhook_receiver: AMPERSAND_WEBHOOK_SECRET is not set\n")
  os.exit(2)
end

-- The method, headers and raw body of a request; nil and the status to refuse it with.
local function read_request(connection)
  local method = (connection:receive "*l" or ""):match "^(%u+) %S+ HTTP/1%.[01]"
  if not method then return nil, 400 end
  local headers = {}
  for _ = 1, MAX_HEADERS do
    local line = connection:receive "*l"
    if not line then return nil, 400 end
    if line == "" then
      local length = tonumber((headers["content-length"] or ""):match "^%d+$")
      if method ~= "POST" or not length then return nil, method == "POST" and 411 or 405 end
      if length > MAX_BODY then return nil, 413 end
      local body = connection:receive(length)
      return body and { headers = headers, body = body }, 400
    end
    local name, value = line:match "^([^%s:]+):%s*(.-)%s*$"
    if name then headers[name:lower()] = value end
  end
  return nil, 431
end

local function answer(connection, status)
  connection:send(("HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"):format(
    status, status < 300 and "OK" or "Refused"))
  connection:close()
end

-- The same message comes again when an answer was lost; a program with several processes keeps this in its database.
local seen = {}

local function take(connection)
  connection:settimeout(PATIENCE)
  local request, status = read_request(connection)
  if not request then return answer(connection, status) end
  local message, info = ampersand.webhook.verify(secret, request.headers, request.body)
  if not message then
    io.stderr:write("refused: ", tostring(info), "\n")
    return answer(connection, 400)
  end
  answer(connection, 200) -- at once: who is slow here is sent the message again
  if seen[info.id] then return true end
  seen[info.id] = true
  return message
end

local function show(message)
  print(("%s of %s, for %s"):format(message.action or "?", message.objectName or "?", message.groupRef or "?"))
  for record in ampersand.webhook.results(message) do
    print("  " .. assert(ampersand.json.encode(record.fields or record, { sort_keys = true })))
  end
end

local server = assert(socket.bind("127.0.0.1", port))
print(("listening http://127.0.0.1:%d/"):format(select(2, server:getsockname())))
io.stdout:flush()
while count > 0 do
  local message = take((assert(server:accept())))
  if type(message) == "table" then
    local ok, err = pcall(show, message)
    if not ok then io.stderr:write("lost the results: ", tostring(err), "\n") end
    io.stdout:flush()
    count = count - 1
  end
end
server:close()
