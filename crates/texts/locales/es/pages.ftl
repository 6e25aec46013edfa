# Todas las páginas

pages-error = Error:
pages-again = Intentar de nuevo
pages-support = ¿Necesita ayuda?
pages-language = Idioma:

pages-forgot-title = ¿Ha olvidado su contraseña?
pages-forgot-intro = Introduzca la dirección de correo electrónico de su cuenta en { $shop }. Le enviaremos un enlace para elegir una contraseña nueva.
pages-forgot-email = Correo electrónico
pages-forgot-missing = Introduzca su dirección de correo electrónico.
pages-forgot-invalid = Introduzca la dirección de correo electrónico con el formato nombre@example.com.
pages-forgot-submit = Enviar enlace
pages-forgot-login = Volver al inicio de sesión

pages-sent-title = Revise su correo
pages-sent-intro = Si existe una cuenta en { $shop } con esta dirección, en unos minutos recibirá un correo con un enlace.
pages-sent-life = El enlace funciona una sola vez y es válido durante { $life }.
pages-sent-nothing = ¿No ha llegado nada? Mire también en la carpeta de correo no deseado y compruebe que ha introducido la dirección de su cuenta.
pages-sent-again = Volver a introducir la dirección

pages-code-intro = ¿Lee el correo en otro dispositivo? Introduzca aquí el código que contiene.
pages-code-label = Código del correo
pages-code-hint = 8 letras y números. Da igual si usa mayúsculas o minúsculas.
pages-code-wrong = El código no es válido. Compruébelo o utilice el enlace del correo.
pages-code-submit = Continuar

pages-reset-title = Elija una contraseña nueva
pages-reset-account = Para la cuenta { $email }
pages-reset-password = Contraseña nueva
pages-reset-show = Mostrar contraseña
pages-reset-submit = Guardar contraseña
pages-reset-missing = Introduzca una contraseña nueva.
pages-reset-too-long = La contraseña es demasiado larga. Utilice como máximo { $count } caracteres.
pages-reset-unusable = La contraseña contiene un carácter que no se puede utilizar.

pages-done-title = Se ha cambiado su contraseña
pages-done-now = Ya puede iniciar sesión con su contraseña nueva.
pages-done-sessions = Tendrá que volver a iniciar sesión en todos sus dispositivos.
pages-done-login = Iniciar sesión

pages-lost-title = Abra el enlace de nuevo
pages-lost-why = Esta página necesita el enlace completo del correo electrónico. Haga clic en él en el mensaje o cópielo entero.
pages-lost-cookies = ¿Vuelve a ver siempre esta página? Entonces permita las cookies para ella o abra el enlace en otro navegador.

pages-dead-title = Este enlace ya no funciona
pages-dead-why = Se ha utilizado o desactivado, ha caducado o ha sido sustituido por otro más reciente.
pages-dead-used = ¿Acaba de elegir una contraseña nueva? Entonces puede iniciar sesión con ella.
pages-dead-again = Solicitar un enlace nuevo
pages-dead-elsewhere = Si no es así, solicite una contraseña nueva en la página de inicio de sesión.

pages-foreign-title = Envíe el formulario de nuevo
pages-foreign-why = Este formulario no procedía de nuestra página. Por su seguridad, no se ha cambiado nada.

pages-busy-title = Inténtelo de nuevo en un momento
pages-busy-why = Estamos recibiendo muchas solicitudes en este momento. No se ha cambiado nada.

pages-too-many-title = Inténtelo de nuevo en un minuto
pages-too-many-why = Se han enviado demasiados formularios desde su conexión. No se ha cambiado nada.

pages-not-found-title = Esta página no existe
pages-not-found-what = Quizá la dirección no se copió completa. Si necesita una contraseña nueva, solicítela en la página de inicio de sesión.

pages-failed-title = Se ha producido un error
pages-failed-what = No se ha cambiado nada. Inténtelo de nuevo más tarde.

pages-not-me-title = ¿No ha solicitado una contraseña nueva?
pages-not-me-intro = Se ha solicitado una contraseña nueva para su cuenta en { $shop }. Si no ha sido usted, aquí puede desactivar el enlace del correo.
pages-not-me-effect = El enlace dejará de funcionar de inmediato. Su contraseña seguirá siendo la misma.
pages-not-me-cooldown = Después, nadie podrá solicitar una contraseña nueva en esta página durante un tiempo: { $span }.
pages-not-me-submit = Desactivar el enlace

pages-disavowed-title = El enlace ya no funciona
pages-disavowed-what = Su contraseña no se ha cambiado. No tiene que hacer nada más.

pages-misused-title = El enlace ya se ha utilizado
pages-misused-what = Con él se ha cambiado su contraseña en { $shop }.
pages-misused-now = Si no ha sido usted, solicite de inmediato una contraseña nueva. Cambie también la contraseña de su correo electrónico: es posible que alguien lea sus mensajes.
pages-misused-again = Solicitar una contraseña nueva

pages-restore-title = ¿Deshacer el cambio de su dirección de correo?
pages-restore-intro = Se ha cambiado la dirección de correo de su cuenta en { $shop }. Si no fue usted, puede deshacerlo aquí.
pages-restore-effect = Su cuenta recuperará la dirección a la que enviamos el enlace. Su contraseña dejará de funcionar, se cerrará la sesión en todos los dispositivos y recibirá un correo con un enlace para elegir una contraseña nueva.
pages-restore-submit = Deshacer el cambio
pages-restored-title = Se ha restablecido su dirección de correo
pages-restored-what = Su contraseña anterior ya no funciona. En unos minutos recibirá un correo con un enlace para elegir una nueva.
pages-unrestorable-why = Ha caducado, o el cambio se deshizo de otra manera. Si otra persona está usando su cuenta, avise a { $shop }.
