/* A model in its file.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef INTERFACE_SCHEMA_GENERATED_H
#define INTERFACE_SCHEMA_GENERATED_H

namespace tflite {

struct Model;
const Model *GetModel(const void *bytes);

} /* namespace tflite */

#endif /* INTERFACE_SCHEMA_GENERATED_H */
