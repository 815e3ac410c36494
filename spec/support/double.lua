-- Transports without a network: a double answers from a list and keeps what it was asked.

local double = {}

--- A transport that gives `answers` one after the other; the last one again and again.
-- An answer is a res table ({ status, headers, body }), a list { nil, message, kind, sent } in `fault`, or a function(req).
function double.answers(...)
  local answers, asked, slept = { ... }, {}, {}
  local transport = { asked = asked, slept = slept }
  function transport.request(_, req)
    asked[#asked + 1] = req
    local answer = answers[math.min(#asked, #answers)]
    if type(answer) == "function" then answer = answer(req) end
    if answer.fault then return nil, answer.fault, answer.kind, answer.sent end
    local res = {}
    for name, value in pairs(answer) do res[name] = value end
    return res
  end
  function transport.sleep(_, seconds) slept[#slept + 1] = seconds end
  function transport.close() transport.closed = true end
  return transport
end

--- A success with a JSON body.
function double.json(body, headers)
  headers = headers or {}
  headers["content-type"] = headers["content-type"] or "application/json"
  return { status = 200, headers = headers, body = body }
end

--- An error answer with a problem body.
function double.problem(status, body, headers)
  headers = headers or {}
  headers["content-type"] = "application/problem+json"
  return { status = status, headers = headers, body = body }
end

--- A body that arrives in the given pieces and then breaks off with `message` and `kind`, or ends.
function double.pieces(pieces, message, kind)
  return function()
    local i, closed = 0, {}
    return {
      status = 200, headers = { ["content-type"] = "application/json" }, closed = closed,
      read = function()
        i = i + 1
        if pieces[i] then return pieces[i] end
        if message then return nil, message, kind end
        return nil
      end,
      close = function(reusable) closed[#closed + 1] = reusable end,
    }
  end
end

--- A client over a double, with everything configured.
function double.client(transport, more)
  local settings = {
    api_key = "test-key", project = "my-project", integration = "hubspot", transport = transport,
    base_url = "https://api.example.com/v1",
  }
  for name, value in pairs(more or {}) do settings[name] = value end
  return require("ampersand").new(settings)
end

return double
