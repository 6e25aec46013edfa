// Shows this service's own description. Without `validatorUrl: null` Swagger UI would send its address to a third party.
SwaggerUIBundle({
  url: '/openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  validatorUrl: null,
  requestInterceptor: withClientInBody,
})

/** Swagger UI sends a client's credentials by HTTP Basic; `/oauth/token` reads them from the body. */
function withClientInBody(request) {
  const { Authorization: authorization = '' } = request.headers
  if (!authorization.startsWith('Basic ')) return request
  const [id, ...secret] = atob(authorization.slice('Basic '.length)).split(':')
  const body = new URLSearchParams(request.body)
  body.set('client_id', id)
  if (secret.join(':')) body.set('client_secret', secret.join(':'))
  delete request.headers.Authorization
  return Object.assign(request, { body: body.toString() })
}
