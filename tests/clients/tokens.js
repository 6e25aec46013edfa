// Access tokens signed with the service's key, so that only their claims are wrong.
import { createSign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { service } from './service.js'

/** Returns a token's claims, as clients without js-auth read them: with plain `atob`, which knows neither `-` nor `_`. */
export function claimsOf(token) {
  return JSON.parse(atob(token.split('.')[1]))
}

/** Signs the token with other claims. */
export function resigned(token, changes) {
  const [header] = token.split('.')
  const claims = { ...claimsOf(token), ...changes }
  const unsigned = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  const key = readFileSync(service.signingKey, 'utf8')
  return `${unsigned}.${createSign('RSA-SHA512').update(unsigned).sign(key, 'base64url')}`
}

/** Returns the token as it is `seconds` before its expiry, or after it if that is negative. */
export function withLifeOf(token, seconds) {
  const exp = Math.floor(Date.now() / 1000) + seconds
  return resigned(token, { iat: exp - 7200, exp })
}
