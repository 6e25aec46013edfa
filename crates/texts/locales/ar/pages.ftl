# جميع الصفحات

pages-error = خطأ:
pages-again = المحاولة مرة أخرى
pages-support = هل تحتاج إلى مساعدة؟
pages-language = اللغة:

pages-forgot-title = هل نسيت كلمة المرور؟
pages-forgot-intro = يُرجى إدخال عنوان البريد الإلكتروني لحسابك لدى { $shop }. سنرسل إليك رابطًا يمكنك من خلاله اختيار كلمة مرور جديدة.
pages-forgot-email = عنوان البريد الإلكتروني
pages-forgot-missing = يُرجى إدخال عنوان بريدك الإلكتروني.
pages-forgot-invalid = يُرجى إدخال عنوان البريد الإلكتروني بالصيغة name@example.com.
pages-forgot-submit = إرسال الرابط
pages-forgot-login = العودة إلى تسجيل الدخول

pages-sent-title = يُرجى التحقق من بريدك الإلكتروني
pages-sent-intro = إذا كان لدى { $shop } حساب بهذا العنوان، فستصلك خلال بضع دقائق رسالة تحتوي على رابط.
pages-sent-life = الرابط صالح لمرة واحدة فقط. مدة الصلاحية: { $life }.
pages-sent-nothing = لم يصلك شيء؟ يُرجى البحث أيضًا في مجلد الرسائل غير المرغوب فيها والتأكد من أنك أدخلت عنوان حسابك.
pages-sent-again = إدخال العنوان من جديد

pages-code-intro = هل تقرأ الرسالة على جهاز آخر؟ أدخل هنا الرمز الوارد فيها.
pages-code-label = الرمز الوارد في الرسالة
pages-code-hint = 8 أحرف وأرقام. لا فرق بين الأحرف الكبيرة والصغيرة.
pages-code-wrong = الرمز غير صالح. يُرجى التحقق منه أو استخدام الرابط الوارد في الرسالة.
pages-code-submit = متابعة

pages-reset-title = اختيار كلمة مرور جديدة
pages-reset-account = للحساب { $email }
pages-reset-password = كلمة المرور الجديدة
pages-reset-show = إظهار كلمة المرور
pages-reset-submit = حفظ كلمة المرور
pages-reset-missing = يُرجى إدخال كلمة مرور جديدة.
pages-reset-too-long = كلمة المرور طويلة جدًا. الحد الأقصى لعدد الأحرف: { $count }.
pages-reset-unusable = تحتوي كلمة المرور على رمز لا يمكن استخدامه.

pages-done-title = تم تغيير كلمة مرورك
pages-done-now = يمكنك الآن تسجيل الدخول بكلمة المرور الجديدة.
pages-done-sessions = عليك تسجيل الدخول من جديد على جميع أجهزتك.
pages-done-login = تسجيل الدخول

pages-lost-title = يُرجى فتح الرابط مرة أخرى
pages-lost-why = تحتاج هذه الصفحة إلى الرابط الكامل الوارد في الرسالة. يُرجى النقر عليه في الرسالة أو نسخه كاملًا.
pages-lost-cookies = هل تظهر لك هذه الصفحة مرارًا؟ يُرجى إذن السماح لها بملفات تعريف الارتباط أو فتح الرابط في متصفح آخر.

pages-dead-title = لم يعد هذا الرابط صالحًا
pages-dead-why = لقد استُخدم أو أُلغي أو انتهت صلاحيته أو حل محله رابط أحدث.
pages-dead-used = هل اخترت كلمة مرور جديدة للتو؟ يمكنك إذن تسجيل الدخول بها.
pages-dead-again = طلب رابط جديد
pages-dead-elsewhere = وإلا فيُرجى طلب كلمة مرور جديدة من صفحة تسجيل الدخول.

pages-foreign-title = يُرجى إرسال النموذج مرة أخرى
pages-foreign-why = لم يُرسل هذا النموذج من صفحتنا. حرصًا على أمانك لم يتغير أي شيء.

pages-busy-title = يُرجى المحاولة بعد لحظات
pages-busy-why = لدينا ضغط كبير في الوقت الحالي. لم يتغير أي شيء.

pages-too-many-title = يُرجى المحاولة بعد دقيقة
pages-too-many-why = أُرسل عدد كبير جدًا من النماذج من اتصالك. لم يتغير أي شيء.

pages-not-found-title = هذه الصفحة غير موجودة
pages-not-found-what = ربما لم يُنسخ العنوان كاملًا. إذا كنت بحاجة إلى كلمة مرور جديدة، فيُرجى طلبها من صفحة تسجيل الدخول.

pages-failed-title = حدث خطأ ما
pages-failed-what = لم يتغير أي شيء. يُرجى المحاولة لاحقًا.

pages-not-me-title = ألم تطلب كلمة مرور جديدة؟
pages-not-me-intro = تلقينا طلبًا لتعيين كلمة مرور جديدة لحسابك لدى { $shop }. إذا لم تكن أنت من طلبها، فيمكنك هنا إلغاء الرابط الوارد في الرسالة.
pages-not-me-effect = سيتوقف الرابط عن العمل فورًا، وتبقى كلمة مرورك كما هي.
pages-not-me-cooldown = بعد ذلك لن يتمكن أحد من طلب كلمة مرور جديدة من هذه الصفحة لبعض الوقت: { $span }.
pages-not-me-submit = إلغاء الرابط

pages-disavowed-title = لم يعد الرابط صالحًا
pages-disavowed-what = لم تتغير كلمة مرورك. لا داعي لأي إجراء آخر.

pages-misused-title = سبق استخدام الرابط
pages-misused-what = لقد غُيّرت به كلمة مرورك لدى { $shop }.
pages-misused-now = إذا لم تكن أنت من فعل ذلك، فيُرجى طلب كلمة مرور جديدة فورًا. غيّر أيضًا كلمة مرور بريدك الإلكتروني، فربما يقرأ أحد رسائلك.
pages-misused-again = طلب كلمة مرور جديدة
