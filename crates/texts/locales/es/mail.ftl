## Todos los correos

mail-was-you = ¿Fue usted?
mail-not-you = ¿No fue usted?
mail-nothing-to-do = Entonces no tiene que hacer nada.
mail-requested = Solicitud del { $requested }.
mail-copy = Si el botón no funciona, abra este enlace:
mail-support = ¿Necesita ayuda?

## Se ha solicitado una contraseña nueva

mail-reset-subject = Elija una contraseña nueva para { $shop }
mail-reset-preview = Solicitud del { $requested }. El enlace funciona una sola vez, hasta el { $until }.
mail-reset-title = Elija una contraseña nueva
mail-reset-intro = Se ha solicitado una contraseña nueva para su cuenta en { $shop }. Puede elegirla aquí:
mail-reset-button = Elegir una contraseña nueva
mail-reset-life = El enlace funciona una sola vez y es válido durante { $life }, hasta el { $until }.
mail-reset-code = ¿Prefiere continuar en otro dispositivo? Introduzca este código en la página donde solicitó la contraseña nueva:
mail-reset-not-you = Entonces no tiene que hacer nada: su contraseña sigue siendo la misma.
mail-reset-not-me = Yo no lo he solicitado
mail-reset-secret = No comparta este correo con nadie. Nadie de { $shop } se lo pedirá nunca.
mail-reset-why = Recibe este correo porque se ha solicitado una contraseña nueva en { $shop } para esta dirección.

## Se ha cambiado la contraseña

mail-changed-subject = Se ha cambiado su contraseña de { $shop }
mail-changed-preview = Cambiada el { $changed }. Si no fue usted, actúe ahora mismo.
mail-changed-title = Se ha cambiado su contraseña
mail-changed-intro = La contraseña de su cuenta en { $shop } se cambió el { $changed }.
mail-changed-sessions = Tendrá que volver a iniciar sesión en todos sus dispositivos.
mail-changed-not-you = Solicite de inmediato una contraseña nueva y avise a { $shop }. Cambie también la contraseña de su cuenta de correo: es posible que alguien esté leyendo sus mensajes.
mail-changed-button = Solicitar una contraseña nueva
mail-changed-why = Recibe este correo porque afecta a la seguridad de su cuenta en { $shop }.

## Se cambió la dirección de correo

mail-moved-subject = Se ha cambiado su dirección de correo de { $shop }
mail-moved-preview = Si no fue usted, puede deshacer el cambio hasta el { $until }.
mail-moved-title = Se ha cambiado su dirección de correo
mail-moved-intro = La dirección de correo de su cuenta en { $shop } se cambió el { $changed }. Ya no es la dirección a la que enviamos este mensaje.
mail-moved-not-you = Entonces deshaga aquí el cambio. Su cuenta recuperará esta dirección, su contraseña dejará de funcionar, se cerrará la sesión en todos los dispositivos y le enviaremos un enlace para elegir una contraseña nueva.
mail-moved-button = Deshacer el cambio
mail-moved-life = El enlace funciona una sola vez y es válido hasta el { $until }. No reenvíe este correo a nadie.

## Se ha solicitado una contraseña nueva, pero la dirección no tiene cuenta

mail-none-subject = No hay ninguna cuenta en { $shop } con esta dirección
mail-none-preview = Solicitud del { $requested }. Se ha solicitado una contraseña nueva para una dirección sin cuenta.
mail-none-title = No hay ninguna cuenta con esta dirección
mail-none-intro = Se ha solicitado una contraseña nueva en { $shop } para esta dirección, pero no hay ninguna cuenta que la utilice.
mail-none-was-you = Es posible que se registrara con otra dirección de correo. Inténtelo de nuevo con esa dirección.
mail-none-button = Probar con otra dirección
mail-none-not-you = Entonces no tiene que hacer nada. Puede eliminar este correo.
mail-none-why = Recibe este correo porque alguien indicó esta dirección al solicitar una contraseña nueva en { $shop }.
