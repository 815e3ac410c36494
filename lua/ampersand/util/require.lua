--- `require` for what a program loads after its start. It needs no global `require`, and says what to do where the
-- files are gone (chroot, sandbox, upgrade).

local loaded, original, globals = package.loaded, require, _G

---@param name string
---@return table
return function(name)
  local module = loaded[name]
  if module then return module end
  local taken = rawget(globals, "require") -- which the files of modules call
  if not taken then rawset(globals, "require", original) end
  local ok, found = pcall(original, name)
  if not taken then rawset(globals, "require", nil) end
  if ok then return found end
  if not tostring(found):find "module '[^']*' not found" then error(found, 0) end
  error(found:match "^[^\n]*" .. " A program whose files go away (chroot, sandbox) calls ampersand.load() first.", 0)
end
