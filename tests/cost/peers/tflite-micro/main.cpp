// TensorFlow Lite Micro with its reference kernels (the sources in crate tfmicro). ARENA is the smallest
// that AllocateTensors accepts for the model, in steps of 16 bytes; INT8 says what the model's numbers are.
#include <new>

#include "tensorflow/lite/micro/kernels/micro_ops.h"
#include "tensorflow/lite/micro/micro_interpreter.h"
#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

#include MODEL

namespace {

// Says nothing: the library's own would bring the code that writes numbers.
struct Silent : tflite::ErrorReporter {
    int Report(const char *, va_list) override { return 0; }
    void operator delete(void *) {} // the virtual destructor names it
};

alignas(16) uint8_t arena[ARENA];
alignas(tflite::MicroInterpreter) unsigned char place[sizeof(tflite::MicroInterpreter)];
tflite::MicroInterpreter *interpreter;
Silent silent;
tflite::MicroMutableOpResolver<2> resolver;
bool ready;

#ifdef INT8
void put(TfLiteTensor *tensor, int index, float number)
{
    const float scaled = number / tensor->params.scale;
    const int rounded = static_cast<int>(scaled + (scaled < 0 ? -0.5f : 0.5f)) + tensor->params.zero_point;
    tensor->data.int8[index] = static_cast<int8_t>(rounded < -128 ? -128 : rounded > 127 ? 127 : rounded);
}

float got(const TfLiteTensor *tensor)
{
    return tensor->params.scale * static_cast<float>(tensor->data.int8[0] - tensor->params.zero_point);
}
#else
void put(TfLiteTensor *tensor, int index, float number) { tensor->data.f[index] = number; }
float got(const TfLiteTensor *tensor) { return tensor->data.f[0]; }
#endif

} // namespace

extern "C" void DebugLog(const char *) {}

// As firmware has it: the C library's would bring signals and files.
extern "C" void abort()
{
    for (;;)
        ;
}

extern "C" void cost_init()
{
    // Version 0 stands for any.
    resolver.AddBuiltin(tflite::BuiltinOperator_FULLY_CONNECTED, tflite::ops::micro::Register_FULLY_CONNECTED(), 0);
    resolver.AddBuiltin(tflite::BuiltinOperator_TANH, tflite::ops::micro::Register_TANH(), 0);
    interpreter = new (place) tflite::MicroInterpreter(tflite::GetModel(model), resolver, arena, sizeof arena, &silent);
    ready = interpreter->AllocateTensors() == kTfLiteOk;
}

extern "C" void cost_act(const float *observation, float *action)
{
    TfLiteTensor *const input = interpreter->input(0);
    for (int i = 0; i < input->dims->data[1]; i++)
        put(input, i, observation[i]);
    if (ready && interpreter->Invoke() == kTfLiteOk)
        *action = 2.0f * got(interpreter->output(0));
}
