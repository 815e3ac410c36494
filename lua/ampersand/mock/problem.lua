-- Refusals in the form of the API: a problem (RFC 9457) with the members that the vendor adds.

local core = require "ampersand.core"
local http = require "ampersand.mock.http"
local time = require "ampersand.time"

local problem = {}
local Problem = {}

--- Ends the request with a problem. Never returns.
---@param status integer
---@param detail string
---@param members table? more members; `headers` among them go to the answer's head
function problem.refuse(status, detail, members)
  error(setmetatable({ status = status, detail = http.printable(detail), members = members or {} }, Problem), 0)
end

--- Ends the request because one of its values is not acceptable.
---@param where "body"|"query"|"header"|"path"
---@param name string
---@param why string
---@param status integer? default 400
function problem.invalid(where, name, why, status)
  local issue = { type = "about:blank", ["in"] = where, name = name, detail = ("%s %s"):format(name, why) }
  local detail = ("The %s is not valid: %s %s."):format(where, name, why)
  problem.refuse(status or 400, detail, { issues = core.array { issue } })
end

function problem.is(value)
  return getmetatable(value) == Problem
end

-- Operations whose problems do not come as application/problem+json.
local PLAIN = { triggerRead = true, deliverResults = true, searchRecords = true }

local function media_type(op, status)
  if op and op.id == "writeRecords" and status == 400 then return "text/plain; charset=utf-8" end
  if op and (PLAIN[op.id] or op.resource == "jwt_keys") then return "application/json" end
  return "application/problem+json"
end

--- The response for a problem; anything else that was raised becomes a 500 without its message.
---@param raised any
---@param request_id string
---@param op table? the operation, some have a media type of their own
---@return table response
function problem.response(raised, request_id, op)
  if not problem.is(raised) then
    raised = { status = 500, detail = "the mock server failed, see its standard error", members = {} }
  end
  local body = {
    type = "about:blank", title = http.reason(raised.status), status = raised.status, detail = raised.detail,
    instance = "urn:request:" .. request_id, requestId = request_id, subsystem = "api",
    time = time.format(core.time(), nil, 6),
    retryable = raised.status == 429 or raised.status >= 500,
  }
  local headers = { ["Content-Type"] = media_type(op, raised.status) }
  for name, value in pairs(raised.members) do
    if name == "headers" then
      for header, text in pairs(value) do headers[header] = text end
    else
      body[name] = type(value) == "table" and #value > 0 and core.array(value) or value
    end
  end
  local plain = headers["Content-Type"]:find("text/plain", 1, true)
  return {
    status = raised.status, headers = headers,
    body = plain and raised.detail or assert(core.encode(body, { sort_keys = true })),
  }
end

return problem
