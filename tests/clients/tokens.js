// Access tokens that the service's own key has signed, so that nothing but their claims is wrong with them.
import { createSign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { service } from './service.js'

/** What a token says, as clients without js-auth read it: with plain `atob`, which knows neither `-` nor `_`. */
export function claimsOf(token) {
  return JSON.parse(atob(token.split('.')[1]))
}

/** The token with other claims, signed as the service signs. */
export function resigned(token, changes) {
  const [header] = token.split('.')
  const claims = { ...claimsOf(token), ...changes }
  const unsigned = `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
  const key = readFileSync(service.signingKey, 'utf8')
  return `${unsigned}.${createSign('RSA-SHA512').update(unsigned).sign(key, 'base64url')}`
}

/** The token as it is `seconds` before its end, or after it when that is negative. */
export function withLifeOf(token, seconds) {
  const exp = Math.floor(Date.now() / 1000) + seconds
  return resigned(token, { iat: exp - 7200, exp })
}
