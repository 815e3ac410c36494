-- Asks the provider's own API, with a customer's credentials: what Ampersand does not read or write is a call away.
--
--     AMP_API_KEY=… AMPERSAND_PROJECT_ID=my-project \
--       lua5.4 examples/proxy_call.lua installation-123 GET /crm/v3/objects/contacts limit=10
--     … lua5.4 examples/proxy_call.lua installation-123 POST /crm/v3/objects/contacts < contact.json
--     … lua5.4 examples/proxy_call.lua installation-123 GET /files/v3/report.pdf > report.pdf

local ampersand = require "ampersand"

local installation, method, path = arg[1], arg[2], arg[3]
if not path then
  io.stderr:write("usage: proxy_call.lua INSTALLATION METHOD PATH [NAME=VALUE ...] [< BODY]\n")
  os.exit(2)
end

local query = {}
for i = 4, #arg do
  local name, value = arg[i]:match "^([^=]+)=(.*)$"
  if name then query[name] = value end
end

local given = { installation = installation, query = query, stream = true, throttle = true }
if method == "POST" or method == "PUT" or method == "PATCH" then
  given.body, given.content_type = io.read "*a", "application/json"
end

local client = ampersand.new()

-- A streamed answer is never held as a whole, however large a file it is.
local answer, err = client:proxy(method, path, given)
if answer then
  local chunk
  repeat
    chunk, err = answer:read()
    if chunk then io.write(chunk) end
  until not chunk
end
client:close()

-- The provider's own words about what is wrong are in `err.body`.
if err then
  io.stderr:write("proxy_call: ", tostring(err), "\n")
  if err.body then
    local body = type(err.body) == "table" and ampersand.json.encode(err.body, { sort_keys = true }) or err.body
    io.stderr:write(body, "\n")
  end
  os.exit(1)
end
